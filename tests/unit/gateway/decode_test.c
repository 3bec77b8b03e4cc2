#include "gateway/transcode.h"

#include "unit/suite.h"

#include "call_of.h"

#include "quire/documents.pb-c.h"
#include "quire/query.pb-c.h"
#include "quire/session.pb-c.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>

#define UUID_TEXT "0197a3c0-0000-7000-8000-0000000000ff"

static struct fixture {
    struct quire_arena arena;
    uint8_t uuid[16];
    struct transcode_decoded decoded;
} f;

static int set_up(void) {
    static const uint8_t uuid[16] = {0x01, 0x97, 0xa3, 0xc0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 0xff};
    if (sodium_init() < 0)
        return 1;
    memcpy(f.uuid, uuid, sizeof(uuid));
    quire_arena_init(&f.arena, (size_t)256 * 1024 * 1024);
    return 0;
}

static int tear_down(void) {
    quire_arena_deinit(&f.arena);
    return 0;
}

static struct quire_slice pack(const void *message) {
    uint8_t *bytes = quire_arena_alloc(&f.arena, protobuf_c_message_get_packed_size(message) + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    return (struct quire_slice){bytes, protobuf_c_message_pack(message, bytes)};
}

static bool decodes(const char *method, unsigned status, struct quire_slice value, const char *token) {
    f.decoded = (struct transcode_decoded){.json = {NULL, 0}};
    return transcode_decode(&f.arena, call_of(method), status, value, token, &f.decoded);
}

static void is(struct quire_slice got, const char *expected) {
    if (!quire_slice_equal(got, quire_slice_of(expected)))
        fprintf(stderr, "\n    %.*s\n", (int)got.size, (const char *)got.bytes);
    CU_ASSERT_TRUE(quire_slice_equal(got, quire_slice_of(expected)));
}

static Quire__Document document(void) {
    Quire__Document document = QUIRE__DOCUMENT__INIT;
    document.id = (ProtobufCBinaryData){16, f.uuid};
    document.title = (char *)"t\"\n\x1f\xc3\xa9";
    document.content = (char *)"c";
    document.metadata = (char *)"{\"n\":12345678901234567890}";
    document.version = 1;
    document.chunk_count = -2;
    document.created_at = 0;
    document.updated_at = 1767323045678;
    document.etag = (char *)"\"1-abc\"";
    return document;
}

static void a_document_is_what_the_contract_says(void) {
    Quire__Document message = document();
    CU_ASSERT_TRUE_FATAL(decodes("quire.Documents/Create", 201, pack(&message), ""));
    is(f.decoded.json, "{\"id\":\"" UUID_TEXT "\",\"title\":\"t\\\"\\n\\u001f\xc3\xa9\",\"content\":\"c\",\"tags\":[],"
                       "\"metadata\":{\"n\":12345678901234567890},\"language\":null,\"version\":1,\"chunk_count\":-2,"
                       "\"created_at\":\"1970-01-01T00:00:00.000Z\",\"updated_at\":\"2026-01-02T03:04:05.678Z\"}");
    is(f.decoded.location, "/documents/" UUID_TEXT);
    is(f.decoded.etag_name, "ETag");
    is(f.decoded.etag, "\"1-abc\"");
}

static void a_summary_leaves_out_what_is_absent_and_says_null_where_asked(void) {
    Quire__DocumentSummary item = QUIRE__DOCUMENT_SUMMARY__INIT, *items[] = {&item};
    Quire__DocumentList list = QUIRE__DOCUMENT_LIST__INIT;
    char *tags[] = {(char *)"a", (char *)"b"};
    item.id = (ProtobufCBinaryData){16, f.uuid};
    item.title = (char *)"t";
    item.n_tags = 2;
    item.tags = tags;
    item.metadata = (char *)"{}";
    item.language = (char *)"he";
    list.n_items = 1;
    list.items = items;
    CU_ASSERT_TRUE_FATAL(decodes("quire.Documents/List", 200, pack(&list), ""));
    is(f.decoded.json, "{\"items\":[{\"id\":\"" UUID_TEXT
                       "\",\"title\":\"t\",\"tags\":[\"a\",\"b\"],\"metadata\":{},\"language\":\"he\","
                       "\"version\":0,\"chunk_count\":0,\"created_at\":\"1970-01-01T00:00:00.000Z\","
                       "\"updated_at\":\"1970-01-01T00:00:00.000Z\"}],\"next_cursor\":null}");
    CU_ASSERT_EQUAL(f.decoded.location.size + f.decoded.etag.size, 0);
}

static void numbers_read_back_as_they_were(void) {
    static const double scores[] = {0.1, 1.0 / 3.0, 1e300, 5e-324, 0, 12.5};
    Quire__SearchResult result = QUIRE__SEARCH_RESULT__INIT, *results[] = {&result};
    Quire__SearchReply reply = QUIRE__SEARCH_REPLY__INIT;
    result.document_id = (ProtobufCBinaryData){16, f.uuid};
    result.title = result.text = (char *)"";
    reply.mode = (char *)"text";
    reply.n_results = 1;
    reply.results = results;
    for (size_t i = 0; i < sizeof(scores) / sizeof(scores[0]); i++) {
        result.score = scores[i];
        CU_ASSERT_TRUE_FATAL(decodes("quire.Query/Search", 200, pack(&reply), ""));
        char *json = quire_arena_text(&f.arena, f.decoded.json);
        CU_ASSERT_PTR_NOT_NULL_FATAL(json);
        double back = strtod(strstr(json, "\"score\":") + 8, NULL);
        CU_ASSERT_TRUE(!(back < scores[i]) && !(back > scores[i]));
    }
    result.score = NAN; /* JSON has none */
    CU_ASSERT_TRUE_FATAL(decodes("quire.Query/Search", 200, pack(&reply), ""));
    CU_ASSERT_PTR_NOT_NULL(strstr(quire_arena_text(&f.arena, f.decoded.json), "\"score\":null"));
}

static void the_minted_token_is_put_in(void) {
    Quire__Account account = QUIRE__ACCOUNT__INIT;
    Quire__LogInReply reply = QUIRE__LOG_IN_REPLY__INIT;
    account.id = (ProtobufCBinaryData){16, f.uuid};
    account.email = (char *)"a@b.de";
    reply.token_type = (char *)"Bearer";
    reply.user = &account;
    reply.token = (char *)"what a service says counts for nothing";
    CU_ASSERT_TRUE_FATAL(decodes("quire.Session/LogIn", 0, pack(&reply), "minted"));
    is(f.decoded.json,
       "{\"token\":\"minted\",\"token_type\":\"Bearer\",\"expires_at\":\"1970-01-01T00:00:00.000Z\",\"user\":{\"id\":"
       "\"" UUID_TEXT "\",\"email\":\"a@b.de\",\"created_at\":\"1970-01-01T00:00:00.000Z\"}}");
    CU_ASSERT_TRUE_FATAL(decodes("quire.Session/LogIn", 200, pack(&reply), ""));
    CU_ASSERT_PTR_NULL(strstr(quire_arena_text(&f.arena, f.decoded.json), "\"token\":"));
}

/* A 304 has only its header's field on the wire, without the fields that a whole document must have. */
static void not_modified_has_an_etag_and_no_body(void) {
    static const uint8_t wire[] = {0x5a, 3, '"', '7', '"'}; /* field 11, length 3 */
    static const uint8_t with_others[] = {0x38, 0x96, 0x01, 0x21, 1, 2, 3, 4, 5, 6, 7, 8, 0x5a, 3, '"', '8', '"'};
    CU_ASSERT_TRUE_FATAL(decodes("quire.Documents/Get", 304, (struct quire_slice){wire, sizeof(wire)}, ""));
    is(f.decoded.etag, "\"7\"");
    CU_ASSERT_EQUAL(f.decoded.json.size, 0);
    CU_ASSERT_TRUE_FATAL(
        decodes("quire.Documents/Get", 304, (struct quire_slice){with_others, sizeof(with_others)}, ""));
    is(f.decoded.etag, "\"8\"");
    Quire__Document whole = document();
    CU_ASSERT_TRUE_FATAL(decodes("quire.Documents/Get", 304, pack(&whole), ""));
    is(f.decoded.etag, "\"1-abc\"");
    for (size_t size = 1; size < sizeof(wire); size++) /* cut short */
        CU_ASSERT_FALSE(decodes("quire.Documents/Get", 304, (struct quire_slice){wire, size}, ""));
    CU_ASSERT_TRUE(decodes("quire.Documents/Get", 304, (struct quire_slice){NULL, 0}, ""));
    CU_ASSERT_EQUAL(f.decoded.etag.size, 0);
}

static void no_content_is_no_body(void) {
    CU_ASSERT_TRUE(decodes("quire.Documents/Delete", 204, (struct quire_slice){NULL, 0}, ""));
    CU_ASSERT_EQUAL(f.decoded.json.size, 0);
}

/* Anyone on the broker may write to a reply topic: what is no reply of the call's must become an error, not half an
 * answer. */
static void what_is_not_the_calls_message_is_refused(void) {
    Quire__Document message = document();
    CU_ASSERT_FALSE(decodes("quire.Documents/Get", 200, QUIRE_SLICE_LITERAL("\xff\xff\xff garbage"), ""));
    CU_ASSERT_FALSE(decodes("quire.Documents/Get", 200, (struct quire_slice){NULL, 0}, ""));
    CU_ASSERT_FALSE(decodes("quire.Documents/Get", 304, QUIRE_SLICE_LITERAL("\xff\xff\xff garbage"), ""));
    message.id.len = 15;
    CU_ASSERT_FALSE(decodes("quire.Documents/Get", 200, pack(&message), ""));
    message = document();
    message.created_at = INT64_MAX;
    CU_ASSERT_FALSE(decodes("quire.Documents/Get", 200, pack(&message), ""));
    message = document();
    message.etag = (char *)"a\r\nSet-Cookie: b";
    CU_ASSERT_FALSE(decodes("quire.Documents/Get", 200, pack(&message), ""));
    CU_ASSERT_FALSE(decodes("quire.Documents/Get", 304, pack(&message), ""));
}

static void the_largest_content_goes_through(void) {
    size_t size = 15728640;
    char *content = malloc(size + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(content);
    for (size_t i = 0; i < size; i++)
        content[i] = i % 80 == 79 ? '\n' : i % 9 == 0 ? '"' : 'x';
    content[size] = '\0';
    Quire__Document message = document();
    message.content = content;
    CU_ASSERT_TRUE_FATAL(decodes("quire.Documents/Get", 200, pack(&message), ""));
    size_t escapes = 0;
    for (size_t i = 0; i < size; i++)
        escapes += content[i] == '\n' || content[i] == '"';
    message.content = (char *)"";
    size_t whole = f.decoded.json.size;
    CU_ASSERT_TRUE_FATAL(decodes("quire.Documents/Get", 200, pack(&message), ""));
    CU_ASSERT_EQUAL(whole, f.decoded.json.size + size + escapes);
    free(content);
    quire_arena_reset(&f.arena);
}

static void every_shortage_of_memory_is_told(void) {
    Quire__Document message = document();
    struct quire_slice value = pack(&message);
    bool valid = false;
    unsigned refused = 0;
    for (size_t bytes_max = 0; !valid && bytes_max < 100000; bytes_max += 16) {
        struct quire_arena arena;
        quire_arena_init(&arena, bytes_max);
        valid = transcode_decode(&arena, call_of("quire.Documents/Create"), 201, value, "", &f.decoded);
        refused += !valid;
        quire_arena_deinit(&arena);
    }
    CU_ASSERT_TRUE(valid);
    CU_ASSERT_TRUE(refused > 5);
}

QUIRE_TEST_MAIN("decode", set_up, tear_down,
                {"a_document_is_what_the_contract_says", a_document_is_what_the_contract_says},
                {"a_summary_leaves_out_what_is_absent_and_says_null_where_asked",
                 a_summary_leaves_out_what_is_absent_and_says_null_where_asked},
                {"numbers_read_back_as_they_were", numbers_read_back_as_they_were},
                {"the_minted_token_is_put_in", the_minted_token_is_put_in},
                {"not_modified_has_an_etag_and_no_body", not_modified_has_an_etag_and_no_body},
                {"no_content_is_no_body", no_content_is_no_body},
                {"what_is_not_the_calls_message_is_refused", what_is_not_the_calls_message_is_refused},
                {"the_largest_content_goes_through", the_largest_content_goes_through},
                {"every_shortage_of_memory_is_told", every_shortage_of_memory_is_told})
