#include "handlers.h"

/* One transaction with its idempotency record (migrations/001_notes.sql). */
const struct quire_statement @name@_add_statement = {
    .name = "@name@.add",
    .sql = "SELECT @name@.add($1::uuid, $2::text, $3::bytea, $4::int, $5::text)",
    .on_primary_only = true,
};

static void on_added(struct quire_request *request, const PGresult *result) {
    const @Name@__AddRequest *input = quire_request_state(request);
    @Name@__Note note = @NAME@__NOTE__INIT;
    note.text = input->text;
    note.number = quire_column_int64(result, 0, 0);
    quire_request_reply(request, &note.base);
}

void @name@_add(@parameters@) {
    (void)service, (void)closure;
    struct quire_request *request = quire_request_of(closure_data);
    if (input->text == NULL || input->text[0] == '\0') { /* another producer than the gateway */
        quire_request_refuse_field(request, "text", "is needed");
        return;
    }
    const struct quire_once once = quire_request_once(request);
    struct quire_parameters *parameters = quire_request_parameters(request);
    quire_bind_uuid(parameters, quire_request_account(request));
    quire_bind_text(parameters, once.key);
    quire_bind_bytes(parameters, once.fingerprint);
    quire_bind_int32(parameters, once.keep_s);
    quire_bind_ctext(parameters, input->text);
    quire_request_set_state(request, (void *)(uintptr_t)input); /* lives as long as the request */
    quire_request_write(request, &@name@_add_statement, parameters, on_added);
}
