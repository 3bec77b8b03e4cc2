/* Passwords and tokens on their way through the transcoder: else a dump of a topic, or of memory that is used again,
 * lets someone in. */
#include "transcode_fixture.h"

#include "base/token.h"

#include "quire/session.pb-c.h"

static bool opens_as(ProtobufCBinaryData sealed, const char *secret) {
    uint8_t opened[256];
    size_t size;
    return quire_open(&f.key, 1, f.correlation, 1234, (struct quire_slice){sealed.data, sealed.len}, opened, &size) ==
               QUIRE_OPENED &&
           size == strlen(secret) && memcmp(opened, secret, size) == 0;
}

static void a_password_is_sealed_and_nothing_else_of_it_stays(void) {
    static const char text[] = "{\"email\":\"A@b.de\",\"password\":\"p\\u0061ssw\\u00f6rd\"}";
    struct transcode_encoded encoded;
    struct problem problem;
    struct body body;
    f.user_agent = QUIRE_SLICE_LITERAL("curl/\xff\xc3\xa9");
    CU_ASSERT_TRUE_FATAL(encodes("quire.Session/LogIn", text, sizeof(text) - 1, &encoded, &problem, &body));
    for (size_t i = 0; i < body.size; i++)
        CU_ASSERT_EQUAL_FATAL(body.bytes[i], 0);
    free(body.bytes);
    CU_ASSERT_PTR_NULL(memmem(encoded.value, encoded.value_bytes, "passw", 5));

    Quire__LogInRequest *message = quire__log_in_request__unpack(&f.arena.protobuf, encoded.value_bytes, encoded.value);
    CU_ASSERT_PTR_NOT_NULL_FATAL(message);
    CU_ASSERT_STRING_EQUAL(message->email, "A@b.de");
    CU_ASSERT_TRUE(opens_as(message->password, "passw\xc3\xb6rd"));
    CU_ASSERT_STRING_EQUAL(message->ip, "192.0.2.7");
    CU_ASSERT_STRING_EQUAL(message->user_agent, "curl/?\xc3\xa9");

    uint8_t session[QUIRE_SESSION_BYTES];
    CU_ASSERT_EQUAL(strlen(encoded.token), QUIRE_TOKEN_CHARACTERS);
    CU_ASSERT_TRUE(quire_token_session(quire_slice_of(encoded.token), session));
    CU_ASSERT_TRUE_FATAL(message->has_token_hash && message->token_hash.len == sizeof(session));
    CU_ASSERT_EQUAL(memcmp(message->token_hash.data, session, sizeof(session)), 0);
    uint8_t tag[QUIRE_TAG_BYTES];
    CU_ASSERT_TRUE(quire_account_tag(QUIRE_SLICE_LITERAL("a@B.DE"), tag));
    CU_ASSERT_EQUAL(memcmp(session, tag, sizeof(tag)), 0);
    f.user_agent = (struct quire_slice){NULL, 0};
}

static void a_refused_password_is_wiped_too(void) {
    static const char text[] = "{\"email\":\"nobody\",\"password\":\"hunter22\"}",
                      broken[] = "{\"password\":\"hunter22\",";
    const char *const texts[] = {text, broken};
    for (size_t i = 0; i < 2; i++) {
        struct transcode_encoded encoded;
        struct problem problem;
        struct body body;
        CU_ASSERT_FALSE(encodes("quire.Session/SignUp", texts[i], strlen(texts[i]), &encoded, &problem, &body));
        CU_ASSERT_PTR_NULL(memmem(body.bytes, body.size, "hunter", 6));
        free(body.bytes);
    }
}

static void without_a_key_passwords_are_not_taken(void) {
    static const char text[] = "{\"email\":\"a@b.de\",\"password\":\"hunter22\"}";
    struct body body = body_of(text, sizeof(text) - 1);
    struct transcode_request request = request_of(call_of("quire.Session/SignUp"), &body);
    struct transcode_encoded encoded;
    struct problem problem;
    request.seal_key = NULL;
    CU_ASSERT_FALSE(transcode_encode(&f.arena, &request, &encoded, &problem));
    CU_ASSERT_EQUAL(problem.status, 503);
    free(body.bytes);
}

QUIRE_TEST_MAIN("transcode_secrets", set_up, tear_down,
                {"a_password_is_sealed_and_nothing_else_of_it_stays",
                 a_password_is_sealed_and_nothing_else_of_it_stays},
                {"a_refused_password_is_wiped_too", a_refused_password_is_wiped_too},
                {"without_a_key_passwords_are_not_taken", without_a_key_passwords_are_not_taken})
