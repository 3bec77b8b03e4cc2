#include "consumer.h"

#include "answers.h"
#include "base/id.h"
#include "base/seal.h"
#include "base/token.h"
#include "base/utf8.h"
#include "gateway/transcode.h"
#include "quire/wire.pb-c.h"
#include "random.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#define CALLS_MAX 16u
#define NOW_MS UINT64_C(1700000000000)
#define STATEMENTS_MAX 16u /* more would be a request that never ends */

/* What the second byte says. */
#define DICE_PUBLIC_SESSION 0x01u /* a token came with a public call */
#define DICE_FAILS 0x06u          /* which way the first statement fails; 0: it doesn't */

static const struct consumer *consumer;
static const struct quire_contract_service *service;
static struct quire_batch batch;
static struct quire_measures measures;
static rd_kafka_headers_t *headers[CALLS_MAX][2]; /* of each call: with a session, without */

static const uint8_t correlation[QUIRE_CORRELATION_BYTES] = {"0123456789abcdef"};

static rd_kafka_headers_t *make_headers(const struct quire_call *call, bool with_session) {
    static const uint8_t session[QUIRE_SESSION_BYTES] = {0x3d, 0x1f};
    uint8_t deadline[8];
    rd_kafka_headers_t *made = rd_kafka_headers_new(8);
    quire_put_u64(deadline, NOW_MS + 5000);
    (void)rd_kafka_header_add(made, QUIRE_HEADER_CORRELATION_ID, -1, correlation, sizeof(correlation));
    (void)rd_kafka_header_add(made, QUIRE_HEADER_METHOD, -1, call->method, -1);
    (void)rd_kafka_header_add(made, QUIRE_HEADER_DEADLINE, -1, deadline, sizeof(deadline));
    (void)rd_kafka_header_add(made, QUIRE_HEADER_REQUEST_ID, -1, "fuzz", -1);
    (void)rd_kafka_header_add(made, QUIRE_HEADER_CLIENT, -1, "192.0.2.1", -1);
    if (with_session)
        (void)rd_kafka_header_add(made, QUIRE_HEADER_SESSION, -1, session, sizeof(session));
    return made;
}

void consumer_begin(const struct consumer *of) {
    consumer = of;
    service = quire_contract_find(&quire_contract, of->service);
    fuzz_random_install();
    struct quire_log *log = quire_log_create(of->service, "fuzz", QUIRE_ERROR, STDERR_FILENO);
    struct quire_metrics *metrics = quire_metrics_create(1024);
    if (service == NULL || service->calls_count > CALLS_MAX || log == NULL || metrics == NULL ||
        !quire_measures_init(&measures, metrics, service, &service->lanes[0]))
        abort();
    if (!quire_batch_init(&batch, &(struct quire_batch_options){.service = service,
                                                                .handlers = of->handlers,
                                                                .context = of->context,
                                                                .batch_max = 1,
                                                                .arena_bytes_max = 64 << 20,
                                                                .measures = &measures,
                                                                .log = log}))
        abort();
    for (size_t i = 0; i < service->calls_count; i++) {
        headers[i][0] = make_headers(&service->calls[i], true);
        headers[i][1] = make_headers(&service->calls[i], false);
    }
}

/* ---- The database's part */

static const struct consumer_statement *find_statement(const struct quire_statement *statement) {
    for (size_t i = 0; i < consumer->statements_count; i++)
        if (consumer->statements[i].statement == statement)
            return &consumer->statements[i];
    abort(); /* a statement that no handler of this service has */
}

static bool names_account(const struct quire_parameters *parameters, const uint8_t *account) {
    for (int i = 0; i < parameters->count; i++)
        if (parameters->lengths[i] == QUIRE_UUID_BYTES && parameters->values[i] != NULL &&
            memcmp(parameters->values[i], account, QUIRE_UUID_BYTES) == 0)
            return true;
    return false;
}

static void check_query(const struct quire_request *request, const struct consumer_statement *known) {
    const struct quire_parameters *parameters = request->query.parameters;
    assert(!parameters->failed);
    answers_check(known->parameters, parameters);
    assert(!known->owned || names_account(parameters, request->account));
    assert(request->query.kind != QUIRE_WRITE || known->statement->on_primary_only);
}

static unsigned rows_of(const struct consumer_statement *known, const struct quire_parameters *parameters,
                        uint8_t dice) {
    if (known->rows_of != 0)
        return (unsigned)answers_items(parameters, known->rows_of - 1);
    const unsigned rows = known->rows_min + (dice >> 4);
    return rows > known->rows_max ? known->rows_max : rows;
}

/* Fails as the dice say, the first time; then answers. */
static void answer(struct quire_request *request, uint8_t dice, unsigned round) {
    const struct consumer_statement *known = find_statement(request->query.statement);
    check_query(request, known);
    const unsigned fails = round == 0 ? dice & DICE_FAILS : 0;
    request->query.status = 409;
    request->query.outcome = fails == 2   ? QUIRE_QUERY_REFUSED
                             : fails == 4 ? QUIRE_QUERY_AWAY
                             : fails == 6 ? QUIRE_QUERY_CONFLICT
                                          : QUIRE_QUERY_DONE;
    if (fails == 0)
        request->query.result = answers_make(known->columns, request->query.parameters,
                                             rows_of(known, request->query.parameters, dice), dice);
}

/* ---- The request's part */

static void check_answer(const struct quire_request *request) {
    const struct quire_call *call = request->envelope.call;
    struct quire_arena *arena = &batch.arena;
    assert(request->status != 500 && request->status != 504);
    if (request->status < 400) {
        struct transcode_decoded decoded;
        assert(request->status == call->status || request->status == 304);
        assert(transcode_decode(arena, call, request->status, request->answer, "token", &decoded));
        assert(quire_utf8_valid(decoded.json));
    } else {
        struct problem problem;
        assert(problem_decode(arena, request->answer, &problem) && problem.status == request->status);
    }
}

int consumer_run(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    const size_t index = data[0] % service->calls_count;
    const struct quire_call *call = &service->calls[index];
    const uint8_t dice = data[1];
    const bool with_session = call->access == QUIRE_SESSION || (dice & DICE_PUBLIC_SESSION) != 0;
    fuzz_random_rewind();
    quire_batch_begin(&batch, NOW_MS, 1);
    batch.options.lane = call->lane;
    struct quire_request *request =
        quire_batch_add(&batch, headers[index][with_session ? 0 : 1], (struct quire_slice){data + 2, size - 2}, 1);
    if (request->state == QUIRE_REQUEST_ANSWERED) {
        assert(request->reason == QUIRE_REASON_PAYLOAD && request->status == 400);
        return 0;
    }
    request->check.verdict = QUIRE_ADMITTED;
    memset(request->check.account, 0xac, sizeof(request->check.account));
    if (call->wants_session_note)
        request->check.note = request->payload; /* such a call says nothing itself */
    quire_request_admit(request);
    quire_request_invoke(request, consumer->handlers);
    for (unsigned round = 0; request->state == QUIRE_REQUEST_WAITING; round++) {
        assert(round < STATEMENTS_MAX);
        answer(request, dice, round);
        quire_request_resume(request);
    }
    assert(request->state == QUIRE_REQUEST_ANSWERED && request->reason == QUIRE_REASON_NONE);
    check_answer(request);
    return 0;
}
