/* A session over its rate on a connection: if it failed, a storm of one account's would go all the way to the service
 * and back, or somebody be refused who isn't over his. */
#define _GNU_SOURCE /* memmem */
#include "connection_fixture.h"

#include "quire/wire.pb-c.h"

#define OTHER_TOKEN "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gIg"

/* The reply to a request that met a rate: one each minute. */
static void refuse_by_rate(size_t sent) {
    static uint8_t bytes[128];
    Quire__Problem problem = QUIRE__PROBLEM__INIT;
    problem.status = 429;
    problem.has_retry_after_s = problem.has_pace_us = true;
    problem.retry_after_s = 2;
    problem.pace_us = 60000000;
    problem.rate_limit = (char *)"\"account\";r=0;t=2";
    problem.rate_limit_policy = (char *)"\"account\";q=10;w=2";
    fake_reply(sent, 429, (struct quire_slice){bytes, quire__problem__pack(&problem, bytes)});
}

/* Else a storm of one account's requests goes all the way to the service and back, to be refused there. */
static void a_session_over_its_rate_is_answered_in_the_service_s_place(void) {
    struct quire_slice told = {NULL, 0}, own = {NULL, 0};
    open_connection();
    send_text(ME "same\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 1);
    refuse_by_rate(0);
    TURN_UNTIL(answers(0, "", NULL) == 1);
    send_text(ME "passes\r\n\r\n" ME "same\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 2);
    fake_reply(1, 200, (struct quire_slice){f.account, f.account_bytes});
    TURN_UNTIL(answers(0, "", NULL) == 3);
    CU_ASSERT_TRUE(has_status(1, 200));
    CU_ASSERT_TRUE(has_status(2, 429));
    CU_ASSERT_EQUAL(fake_bus.port.sent_count, 2);
    (void)answers(0, "", &told);
    (void)answers(2, "", &own);
    static const char *const parts[] = {"\r\nRetry-After: 2\r\n", "\r\nRateLimit: \"account\";r=0;t=2\r\n",
                                        "\r\nRateLimit-Policy: \"account\";q=10;w=2\r\n", "\"instance\":\"same\""};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        CU_ASSERT_TRUE(contains(told, parts[i], strlen(parts[i])) && contains(own, parts[i], strlen(parts[i])));
    CU_ASSERT_EQUAL(told.size, own.size); /* nothing else differs either, but times */
    /* Another session, and another service with the same one, go as ever. */
    send_text("GET /auth/me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " OTHER_TOKEN "\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 3);
    reply_to_all();
    send_text("GET /documents HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " TOKEN "\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 4);
    CU_ASSERT_EQUAL(fake_bus.port.sent_count, 4);
    close_connection();
}

/* It would hear 429 until the refusal is forgotten. */
static void a_paced_session_that_has_ended_is_401(void) {
    static uint8_t bytes[16];
    Quire__Problem problem = QUIRE__PROBLEM__INIT;
    problem.status = 401;
    const size_t size = quire__problem__pack(&problem, bytes);
    open_connection();
    send_text(ME "one\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 1);
    refuse_by_rate(0);
    TURN_UNTIL(answers(0, "", NULL) == 1);
    send_text(ME "two\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 2);
    fake_reply(1, 401, (struct quire_slice){bytes, size});
    TURN_UNTIL(answers(0, "", NULL) == 2);
    send_text(ME "three\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 3);
    CU_ASSERT_EQUAL_FATAL(fake_bus.port.sent_count, 3);
    fake_reply(2, 401, (struct quire_slice){bytes, size});
    TURN_UNTIL(answers(0, "", NULL) == 3);
    CU_ASSERT_TRUE(has_status(1, 401) && has_status(2, 401));
    close_connection();
}
#define TEST(function) {#function, function}
QUIRE_TEST_MAIN("connection_pace", set_up, tear_down, TEST(a_session_over_its_rate_is_answered_in_the_service_s_place),
                TEST(a_paced_session_that_has_ended_is_401))
