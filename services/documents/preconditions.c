/* Conditions of a request (conditions.h), on their way to a statement. */
#include "documents/handlers.h"

bool documents_read_condition(struct quire_request *request, const char *name, const char *value, bool weak,
                              struct condition *ret_condition) {
    if (condition_read(value, weak, ret_condition))
        return true;
    const char *detail = quire_arena_printf(quire_request_arena(request),
                                            "%s must be * or a list of entity tags, each in double quotes, %u at most.",
                                            name, CONDITION_VERSIONS_MAX);
    quire_request_refuse(request, 400, detail);
    return false;
}

bool documents_read_conditions(struct quire_request *request, const char *if_match, const char *if_none_match,
                               struct documents_conditions *ret_conditions) {
    return documents_read_condition(request, "If-Match", if_match, false, &ret_conditions->if_match) &&
           documents_read_condition(request, "If-None-Match", if_none_match, true, &ret_conditions->if_none_match);
}

void documents_bind_if_match(struct quire_parameters *parameters, const struct documents_conditions *conditions) {
    const struct condition *condition = &conditions->if_match;
    if (!condition->present || condition->any)
        quire_bind_null(parameters);
    else
        quire_bind_int64_array(parameters, condition->versions, condition->count);
}

void documents_bind_if_none_match(struct quire_parameters *parameters, const struct documents_conditions *conditions) {
    quire_bind_int64_array(parameters, conditions->if_none_match.versions, conditions->if_none_match.count);
    quire_bind_bool(parameters, conditions->if_none_match.any);
}
