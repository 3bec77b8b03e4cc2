#include "base/contract.h"

#include "unit/suite.h"

static const struct quire_contract_service *documents(void) {
    const struct quire_contract_service *service = quire_contract_find(&quire_contract, "documents");
    CU_ASSERT_PTR_NOT_NULL_FATAL(service);
    return service;
}

static void services_are_found_by_name_only(void) {
    CU_ASSERT_STRING_EQUAL(documents()->name, "documents");
    CU_ASSERT_PTR_NULL(quire_contract_find(&quire_contract, "Documents"));
    CU_ASSERT_PTR_NULL(quire_contract_find(&quire_contract, ""));
}

/* runtime/ dispatches by the method's index, transcoding by the field's: a shifted table would call the wrong handler
 * or fill the wrong field. */
static void tables_match_protobuf_cs_descriptors(void) {
    for (size_t s = 0; s < quire_contract.services_count; s++) {
        const struct quire_contract_service *service = &quire_contract.services[s];
        CU_ASSERT_EQUAL(service->calls_count, service->descriptor->n_methods);
        for (size_t i = 0; i < service->calls_count; i++) {
            const struct quire_call *call = &service->calls[i];
            const ProtobufCMethodDescriptor *method = &service->descriptor->methods[i];
            CU_ASSERT_PTR_EQUAL(call->input->descriptor, method->input);
            CU_ASSERT_PTR_EQUAL(call->output->descriptor, method->output);
            CU_ASSERT_STRING_EQUAL(strrchr(call->method, '/') + 1, method->name);
            CU_ASSERT_TRUE(call->lane < service->lanes_count && call->bulk_lane < service->lanes_count);
        }
    }
}

static const struct quire_field_spec *field_of(const struct quire_message_spec *message, const char *name) {
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        if (strcmp(message->descriptor->fields[i].name, name) == 0)
            return &message->fields[i];
    }
    CU_FAIL_FATAL("no such field");
    return NULL;
}

static void options_stand_in_the_tables(void) {
    const struct quire_contract_service *service = documents();
    const struct quire_call *create = &service->calls[0];
    CU_ASSERT_STRING_EQUAL(create->method, "quire.Documents/Create");
    CU_ASSERT_STRING_EQUAL(create->http_method, "POST");
    CU_ASSERT_STRING_EQUAL(create->location, "/documents/{id}");
    CU_ASSERT_EQUAL(create->status, 201);
    CU_ASSERT_EQUAL(create->deadline_ms, 5000);
    CU_ASSERT_TRUE(create->write && create->idempotency_key && create->has_body);
    CU_ASSERT_STRING_EQUAL(service->lanes[create->lane].topic, "quire.documents.write");
    CU_ASSERT_STRING_EQUAL(service->lanes[create->bulk_lane].topic, "quire.documents.bulk");
    CU_ASSERT_EQUAL(field_of(create->input, "content")->bytes_max, 15728640);
    CU_ASSERT_EQUAL(field_of(create->input, "title")->characters_max, 500);
    CU_ASSERT_TRUE(field_of(create->input, "faults")->faults); /* tag 100: the last field */
    CU_ASSERT_EQUAL(field_of(create->input, "metadata")->format, QUIRE_JSON_OBJECT);
    CU_ASSERT_STRING_EQUAL(field_of(create->output, "etag")->header, "ETag");
    const struct quire_field_spec *items = field_of(service->calls[1].input, "documents");
    CU_ASSERT_TRUE(items->each_on_its_own);
    CU_ASSERT_PTR_EQUAL(items->message, create->input);
}

/* Else /auth/me asks the database, or every other call pays for a note that it doesn't read. */
static void one_call_wants_the_session_s_note(void) {
    for (size_t s = 0; s < quire_contract.services_count; s++) {
        const struct quire_contract_service *service = &quire_contract.services[s];
        for (size_t i = 0; i < service->calls_count; i++)
            CU_ASSERT_EQUAL(service->calls[i].wants_session_note,
                            strcmp(service->calls[i].method, "quire.Session/Me") == 0);
    }
}

static void path_variables_name_their_fields(void) {
    const struct quire_call *get = &documents()->calls[3];
    CU_ASSERT_STRING_EQUAL(get->path, "/documents/{id}");
    CU_ASSERT_EQUAL_FATAL(get->segments_count, 2);
    CU_ASSERT_STRING_EQUAL(get->segments[0].literal, "documents");
    CU_ASSERT_EQUAL(get->segments[0].field, -1);
    CU_ASSERT_PTR_NULL(get->segments[1].literal);
    CU_ASSERT_STRING_EQUAL(get->input->descriptor->fields[get->segments[1].field].name, "id");
    CU_ASSERT_FALSE(get->has_body);
    CU_ASSERT_EQUAL(get->lane, get->bulk_lane);
}

static void openapi_is_embedded_whole(void) {
    struct quire_slice openapi = quire_contract.openapi;
    CU_ASSERT_TRUE_FATAL(openapi.size > 2);
    CU_ASSERT_EQUAL(openapi.bytes[0], '{');
    CU_ASSERT_EQUAL(openapi.bytes[openapi.size - 1], '}');
    CU_ASSERT_PTR_NULL(memchr(openapi.bytes, '\0', openapi.size));
}

QUIRE_TEST_MAIN("contract", NULL, NULL, {"services_are_found_by_name_only", services_are_found_by_name_only},
                {"tables_match_protobuf_cs_descriptors", tables_match_protobuf_cs_descriptors},
                {"options_stand_in_the_tables", options_stand_in_the_tables},
                {"one_call_wants_the_session_s_note", one_call_wants_the_session_s_note},
                {"path_variables_name_their_fields", path_variables_name_their_fields},
                {"openapi_is_embedded_whole", openapi_is_embedded_whole})
