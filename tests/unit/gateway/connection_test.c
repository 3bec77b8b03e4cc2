/* Connections over a real ring and socket pairs, with Kafka played by the test: if it failed, answers would be cut off,
 * out of order, or another's. */
#define _GNU_SOURCE /* memmem, pipe2 */
#include "connection_fixture.h"

#include <fcntl.h>

/* answer: STATUS [nobody] [~ text that must stand in it] */
static bool answer_fits(const struct case_line *line, struct quire_slice answer) {
    const char *text = (const char *)line->bytes, *tilde = strchr(text, '~');
    char status[32];
    (void)snprintf(status, sizeof status, "HTTP/1.1 %.3s ", text);
    bool fits =
        contains((struct quire_slice){answer.bytes, answer.size < 13 ? answer.size : 13}, status, strlen(status));
    bool final = strncmp(text, "100", 3) != 0;
    if (final)
        fits = fits && contains(answer, "\r\nX-Request-ID: ", 16) && contains(answer, "\r\nX-Process-Time: ", 18) &&
               contains(answer, "\r\nDate: ", 8);
    if (atoi(text) >= 400)
        fits = fits && contains(answer, "application/problem+json", 24);
    return fits && (tilde == NULL || contains(answer, tilde + 2, strlen(tilde + 2)));
}

static void run_block(const struct case_block *block) {
    char without_content[CASE_LINES_MAX + 1] = "";
    size_t count = 0, seen = 0;
    open_connection();
    for (size_t i = 0; i < block->lines_count; i++) {
        const struct case_line *line = &block->lines[i];
        if (strcmp(line->key, "answer") == 0)
            without_content[count++] = strstr((const char *)line->bytes, "nobody") != NULL ? 'n' : 'y';
    }
    bool good = true;
    for (size_t i = 0; i < block->lines_count; i++) {
        const struct case_line *line = &block->lines[i];
        struct quire_slice answer = {NULL, 0};
        if (strcmp(line->key, "send") == 0)
            send_bytes(line->bytes, line->size);
        else if (strcmp(line->key, "half-close") == 0)
            shutdown(f.client, SHUT_WR);
        else if (strcmp(line->key, "answer") == 0) {
            TURN_UNTIL((reply_to_all(), answers(seen, without_content, &answer)) > seen || f.ended);
            (void)answers(seen++, without_content, &answer);
            good = good && answer_fits(line, answer);
        } else if (strcmp(line->key, "end") == 0) {
            TURN_UNTIL(f.ended);
            good = good && f.ended && answers(0, without_content, NULL) == count;
        }
        if (!good) {
            printf("\n%s: at \"%s: %.60s\" got\n%.600s\n----\n", block->name, line->key, (const char *)line->bytes,
                   (const char *)f.received.bytes);
            break;
        }
    }
    CU_ASSERT_TRUE(good);
    close_connection();
}

static void every_answer_case_in_the_folder_holds(void) {
    CU_ASSERT(case_read_folder(QUIRE_TEST_FOLDER "/unit/gateway/answer_cases", run_block) > 30);
}

/* Else a client would have fewer fields through the proxy than it is promised. */
static void a_trusted_proxy_may_add_to_the_fields_of_a_client(void) {
    char fault[64];
    for (unsigned trusted = 0; trusted < 2; trusted++)
        for (unsigned added = HTTP_PROXY_FIELDS; added <= HTTP_PROXY_FIELDS + 1; added++) {
            CU_ASSERT_TRUE_FATAL(client_proxies_parse(trusted == 1 ? "::" : "", &f.gateway.proxies, fault));
            open_connection();
            send_text("GET /livez HTTP/1.1\r\nHost: a\r\n");
            for (unsigned i = 1; i < HTTP_FIELDS_MAX + added; i++)
                send_text("X: y\r\n");
            send_text("\r\n");
            TURN_UNTIL(answers(0, "", NULL) == 1);
            CU_ASSERT_TRUE(has_status(0, trusted == 1 && added == HTTP_PROXY_FIELDS ? 200 : 431));
            close_connection();
        }
    CU_ASSERT_TRUE(client_proxies_parse("", &f.gateway.proxies, fault));
}

static void answers_keep_the_order_of_requests_whatever_the_order_of_replies(void) {
    struct quire_slice first = {NULL, 0}, second = {NULL, 0};
    open_connection();
    send_text(ME "one\r\n\r\n" ME "two\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 2);
    CU_ASSERT_EQUAL_FATAL(fake_bus.port.sent_count, 2);
    fake_reply(1, 200, (struct quire_slice){f.account, f.account_bytes});
    for (int i = 0; i < 3; i++)
        take_turn();
    CU_ASSERT_EQUAL(answers(0, "", NULL), 0);
    fake_reply(0, 200, (struct quire_slice){f.account, f.account_bytes});
    TURN_UNTIL(answers(0, "", &first) == 2);
    (void)answers(0, "", &first);
    (void)answers(1, "", &second);
    CU_ASSERT_TRUE(contains(first, "X-Request-ID: one", 17));
    CU_ASSERT_TRUE(contains(second, "X-Request-ID: two", 17));
    close_connection();
}

static void a_request_that_changes_something_runs_alone(void) {
    open_connection();
    send_text(ME "one\r\n\r\nPOST /auth/logout HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " TOKEN "\r\n\r\n" ME
                 "three\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 1);
    for (int i = 0; i < 3; i++)
        take_turn();
    CU_ASSERT_EQUAL(fake_bus.port.sent_count, 1);
    fake_reply(0, 200, (struct quire_slice){f.account, f.account_bytes});
    TURN_UNTIL(fake_bus.port.sent_count == 2);
    for (int i = 0; i < 3; i++)
        take_turn();
    CU_ASSERT_EQUAL(fake_bus.port.sent_count, 2);
    CU_ASSERT_STRING_EQUAL(fake_bus.port.sent[1].method, "quire.Session/LogOut");
    fake_reply(1, 204, quire_slice_of(NULL));
    TURN_UNTIL(fake_bus.port.sent_count == 3);
    fake_reply(2, 200, (struct quire_slice){f.account, f.account_bytes});
    TURN_UNTIL(answers(0, "", NULL) == 3);
    CU_ASSERT_EQUAL(answers(0, "", NULL), 3);
    close_connection();
}

static void beyond_the_pipeline_bound_reading_waits_and_goes_on(void) {
    open_connection();
    for (int i = 0; i < 20; i++)
        send_text(ME "many\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 4);
    for (int i = 0; i < 5; i++)
        take_turn();
    CU_ASSERT_EQUAL(fake_bus.port.sent_count, 4); /* pipeline_max */
    TURN_UNTIL((reply_to_all(), answers(0, "", NULL)) == 20);
    CU_ASSERT_EQUAL(answers(0, "", NULL), 20);
    close_connection();
}

static void a_deadline_is_a_504_and_the_late_reply_meets_nobody(void) {
    open_connection();
    send_text("GET /auth/me HTTP/1.1\r\nHost: a\r\nRequest-Timeout: 0.05\r\nAuthorization: Bearer " TOKEN "\r\n\r\n");
    TURN_UNTIL(answers(0, "", NULL) == 1);
    CU_ASSERT_TRUE(has_status(0, 504));
    fake_reply(0, 200, (struct quire_slice){f.account, f.account_bytes});
    send_text(ME "next\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 2);
    CU_ASSERT_EQUAL(answers(0, "", NULL), 1);
    fake_reply(1, 200, (struct quire_slice){f.account, f.account_bytes});
    TURN_UNTIL(answers(0, "", NULL) == 2);
    CU_ASSERT_TRUE(has_status(1, 200));
    close_connection();
}

static void a_full_producer_and_a_lost_kafka_are_503_at_once(void) {
    open_connection();
    fake_bus.port.result = BUS_FULL;
    send_text(ME "full\r\n\r\n");
    TURN_UNTIL(answers(0, "", NULL) == 1);
    CU_ASSERT_TRUE(has_status(0, 503));
    fake_bus.port.result = BUS_SENT;
    fake_bus.port.ready = false;
    send_text(ME "away\r\n\r\n");
    TURN_UNTIL(answers(0, "", NULL) == 2);
    CU_ASSERT_TRUE(has_status(1, 503));
    fake_bus.port.ready = true;
    send_text(ME "back\r\n\r\n");
    TURN_UNTIL((reply_to_all(), answers(0, "", NULL)) == 3);
    CU_ASSERT_TRUE(has_status(2, 200));
    close_connection();
}

static void a_full_table_of_waiting_requests_is_a_503(void) {
    f.config.pipeline_max = 10;
    open_connection();
    for (int i = 0; i < 9; i++) /* inflight_max is 8 */
        send_text(ME "many\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 8);
    TURN_UNTIL((reply_to_all(), answers(0, "", NULL)) == 9);
    CU_ASSERT_TRUE(has_status(7, 200));
    CU_ASSERT_TRUE(has_status(8, 503));
    f.config.pipeline_max = 4;
    close_connection();
}

static void who_leaves_while_waiting_is_forgotten(void) {
    open_connection();
    send_text(ME "gone\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 1);
    struct linger reset = {1, 0};
    setsockopt(f.client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(f.client);
    f.ended = true;
    fake_reply(0, 200, (struct quire_slice){f.account, f.account_bytes});
    TURN_UNTIL(connections_count(&f.shard) == 0);
    CU_ASSERT_EQUAL(connections_count(&f.shard), 0);
    CU_ASSERT_EQUAL(inflight_count(f.shard.inflight), 0);
}

static void bodies_beyond_the_budget_are_503_and_the_budget_comes_back(void) {
    open_connection();
    char head[256];
    static char part[65536];
    memset(part, 'x', sizeof part);
    (void)snprintf(head, sizeof head,
                   "POST /documents HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " TOKEN
                   "\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
                   32 * 65536);
    send_text(head);
    for (int i = 0; i < 32; i++)
        send_bytes(part, sizeof part); /* 2 MiB; the budget is 1 */
    TURN_UNTIL(answers(0, "", NULL) == 1);
    CU_ASSERT_TRUE(has_status(0, 503));
    send_text(ME "next\r\n\r\n");
    TURN_UNTIL((reply_to_all(), answers(0, "", NULL)) == 2);
    CU_ASSERT_TRUE(has_status(1, 200));
    close_connection();
    CU_ASSERT_EQUAL(atomic_load(&f.gateway.budget.used_bytes), 0);
}

static void an_answer_that_nobody_reads_ends_the_connection(void) {
    open_connection();
    int small = 4096;
    setsockopt(f.client, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    for (int i = 0; i < 400; i++) {
        static const char request[] = "GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n";
        (void)!send(f.client, request, sizeof request - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    f.ended = true; /* take_turn doesn't read */
    TURN_UNTIL(connections_count(&f.shard) == 0);
    CU_ASSERT_EQUAL(connections_count(&f.shard), 0);
    close_connection();
}

static void an_idle_connection_is_closed_without_a_word(void) {
    open_connection();
    TURN_UNTIL(f.ended);
    CU_ASSERT_TRUE(f.ended);
    CU_ASSERT_EQUAL(f.received.size, 0);
    close_connection();
}

static void health_is_asked_once_for_all_who_want_to_know(void) {
    open_connection();
    send_text("GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    TURN_UNTIL(answers(0, "", NULL) == 2); /* nobody replies: the question's own deadline */
    CU_ASSERT_EQUAL(fake_bus.port.sent_count, quire_contract.services_count);
    CU_ASSERT_STRING_EQUAL(fake_bus.port.sent[0].method, QUIRE_HEALTH_METHOD);
    CU_ASSERT_TRUE(has_status(0, 503));
    CU_ASSERT_TRUE(has_status(1, 503));
    struct quire_slice answer = {NULL, 0};
    (void)answers(0, "", &answer);
    CU_ASSERT_TRUE(contains(answer, "\"status\":\"unhealthy\"", 20));
    CU_ASSERT_TRUE(contains(answer, "\"gateway\":{\"status\":\"healthy\"", 29));
    close_connection();
}

static void a_closing_gateway_says_so_and_ends_idle_connections(void) {
    struct quire_slice answer = {NULL, 0};
    open_connection();
    send_text(ME "last\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 1);
    atomic_store(&f.gateway.phase, GATEWAY_CLOSING);
    reply_to_all();
    for (uint64_t begun_ns = quire_monotonic_ns(); !f.ended && quire_monotonic_ns() - begun_ns < PATIENCE_NS;)
        take_turn();
    (void)answers(0, "", &answer);
    CU_ASSERT_TRUE(has_status(0, 200));
    CU_ASSERT_TRUE(contains(answer, "\r\nConnection: close\r\n", 21));
    close(f.client);
    while (shard_turn(&f.shard)) /* until nothing is owed */
        ;
    CU_ASSERT_EQUAL(connections_count(&f.shard), 0);
    atomic_store(&f.gateway.phase, GATEWAY_SERVING);
}

/* Else whoever asks while a crowd is answered waits for all of its answers. */
static void a_crowd_of_replies_is_taken_in_portions(void) {
    open_connection();
    send_text(ME "first\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 1);
    for (unsigned i = 0; i < 200; i++) { /* too late, all of them: nobody waits */
        fake_reply(0, 200, quire_slice_of(NULL));
        fake_bus.port.replies[i].generation++;
    }
    fake_bus.port.sent[0].answered = false;
    send_text(ME "second\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 2);
    CU_ASSERT_TRUE(fake_bus.port.replies_taken < 200);
    TURN_UNTIL(fake_bus.port.replies_taken == 200); /* though nothing more comes to wake the ring */
    CU_ASSERT_EQUAL(fake_bus.port.replies_taken, 200);
    reply_to_all();
    TURN_UNTIL(answers(0, "", NULL) == 2);
    CU_ASSERT_TRUE(has_status(0, 200) && has_status(1, 200));
    close_connection();
}

/* Who asks for the line of an answer that he has just had would find none; and a line a write would cost a tenth of the
 * ring's time. */
static void who_has_an_answer_finds_its_line_in_the_log(void) {
    struct quire_log *const other_log = f.gateway.log;
    struct quire_log_buffer *const other_lines = f.shard.lines;
    char lines[8192];
    ssize_t size;
    int fds[2];
    CU_ASSERT_EQUAL_FATAL(pipe2(fds, O_NONBLOCK | O_DIRECT), 0); /* a read brings what one write wrote */
    f.gateway.log = quire_log_create("gateway", "test", QUIRE_INFO, fds[1]);
    f.shard.lines = f.gateway.log == NULL ? NULL : quire_log_buffer_create(f.gateway.log);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f.shard.lines);
    open_connection();
    send_text(ME "one\r\n\r\n" ME "two\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 2);
    reply_to_all();
    TURN_UNTIL(f.received.size > 0);
    size = read(fds[0], lines, sizeof lines - 1);
    CU_ASSERT_TRUE_FATAL(size > 0);
    lines[size] = '\0';
    CU_ASSERT_PTR_NOT_NULL(strstr(lines, "\"request_id\":\"one\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(lines, "\"request_id\":\"two\""));
    TURN_UNTIL(answers(0, "", NULL) == 2);
    CU_ASSERT_TRUE(has_status(0, 200) && has_status(1, 200));
    close_connection();
    quire_log_buffer_destroy(f.shard.lines);
    quire_log_destroy(f.gateway.log);
    f.gateway.log = other_log;
    f.shard.lines = other_lines;
    close(fds[0]);
    close(fds[1]);
}

static void states_move_only_as_the_table_allows(void) {
    CU_ASSERT_TRUE(connection_may_move(CONNECTION_IDLE, CONNECTION_HEAD));
    CU_ASSERT_FALSE(connection_may_move(CONNECTION_IDLE, CONNECTION_BODY));
    CU_ASSERT_FALSE(connection_may_move(CONNECTION_LAST, CONNECTION_IDLE));
    CU_ASSERT_FALSE(connection_may_move(CONNECTION_LINGER, CONNECTION_HEAD));
    for (unsigned from = 0; from < CONNECTION_STATES; from++) { /* every state but the last can end at once */
        CU_ASSERT_EQUAL(connection_may_move((enum connection_state)from, CONNECTION_CLOSING),
                        from != CONNECTION_CLOSING);
        CU_ASSERT_FALSE(connection_may_move(CONNECTION_CLOSING, (enum connection_state)from));
    }
}

#define TEST(function) {#function, function}
QUIRE_TEST_MAIN("connection", set_up, tear_down, TEST(every_answer_case_in_the_folder_holds),
                TEST(a_trusted_proxy_may_add_to_the_fields_of_a_client),
                TEST(answers_keep_the_order_of_requests_whatever_the_order_of_replies),
                TEST(a_request_that_changes_something_runs_alone),
                TEST(beyond_the_pipeline_bound_reading_waits_and_goes_on),
                TEST(a_deadline_is_a_504_and_the_late_reply_meets_nobody),
                TEST(a_full_producer_and_a_lost_kafka_are_503_at_once), TEST(a_full_table_of_waiting_requests_is_a_503),
                TEST(who_leaves_while_waiting_is_forgotten),
                TEST(bodies_beyond_the_budget_are_503_and_the_budget_comes_back),
                TEST(an_answer_that_nobody_reads_ends_the_connection),
                TEST(an_idle_connection_is_closed_without_a_word), TEST(health_is_asked_once_for_all_who_want_to_know),
                TEST(a_closing_gateway_says_so_and_ends_idle_connections),
                TEST(a_crowd_of_replies_is_taken_in_portions), TEST(who_has_an_answer_finds_its_line_in_the_log),
                TEST(states_move_only_as_the_table_allows))
