#include "documents/handlers.h"

void documents_bind_write(struct quire_request *request, struct quire_parameters *parameters) {
    const struct quire_once once = quire_request_once(request);
    quire_bind_uuid(parameters, quire_request_account(request));
    quire_bind_text(parameters, once.key);
    quire_bind_bytes(parameters, once.fingerprint);
    quire_bind_int32(parameters, once.keep_s);
    quire_bind_ctext(parameters, quire_request_id(request));
}
