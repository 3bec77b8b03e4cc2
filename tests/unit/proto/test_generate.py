"""proto/generate.py: what it refuses, and what it makes of a service that is right."""

import re

import pytest


def test_a_right_service_is_taken(notes):
    generated = notes()
    assert not generated.failed, generated.errors
    assert "/notes" in generated.openapi["paths"]
    assert '#include "notes.pb-c.h"' in generated.contract


FIELD = "optional {type} x = 2 [(quire.field) = {{ {options} }}];"


def field(kind, options):
    return FIELD.format(type=kind, options=options)


# Each is a mistake that a writer of a service can make, and the words that must tell them which.
REFUSED = {
    "unknown lane": ({"call": 'lane: "fast"'}, "lane 'fast'"),
    "unknown bulk lane": ({"call": 'lane: "notes" bulk_lane: "fast"'}, "bulk_lane 'fast'"),
    "bulk lane is the lane": ({"call": 'lane: "notes" bulk_lane: "notes"'}, "leave it out"),
    "no lane": ({"service": 'name: "notes"'}, "no lane"),
    "niceness that there isn't": ({"service": 'name: "notes" lanes: [ { name: "notes" topic: "a.b" nice: 20 } ]'}, "at most 19"),
    "two lanes of a name": ({"service": 'name: "notes" lanes: [ { name: "notes" topic: "a.b" }, { name: "notes" topic: "a.c" } ]'}, "two lanes"),
    "no call option": ({"more_calls": 'rpc Bare(In) returns (Out) { option (google.api.http) = { get: "/bare" }; }'}, "(quire.call)"),
    "no route": ({"more_calls": 'rpc Bare(In) returns (Out) { option (quire.call) = { lane: "notes" }; }'}, "(google.api.http)"),
    "service called like a check": ({"service": 'name: "kafka" lanes: [ { name: "notes" topic: "notes.all" } ]'}, "already a check"),
    "service called like another": ({"service": 'name: "documents" lanes: [ { name: "notes" topic: "notes.all" } ]'}, "both called documents"),
    "topic of another": ({"service": 'name: "notes" lanes: [ { name: "notes" topic: "quire.query" } ]'}, "used twice"),
    "topic of the replies": ({"service": 'name: "notes" lanes: [ { name: "notes" topic: "quire.replies" } ]'}, "can't be a topic"),
    "topic of dead letters": ({"service": 'name: "notes" lanes: [ { name: "notes" topic: "notes-dlt" } ]'}, "can't be a topic"),
    "unknown dependency": ({"service": 'name: "notes" lanes: [ { name: "notes" topic: "notes.all" } ] depends_on: [ "mongodb" ]'}, "mongodb"),
    "path variable without a field": ({"http": 'get: "/notes/{id}"'}, "{id} is no field"),
    "path variable twice": ({"http": 'get: "/notes/{text}/{text}"'}, "twice"),
    "path variable repeated": ({"http": 'get: "/notes/{text}"', "request": "repeated string text = 1;"}, "one plain value"),
    "path with a wildcard": ({"http": 'get: "/notes/{text=**}"'}, "plain segments"),
    "relative path": ({"http": 'get: "notes"'}, "plain segments"),
    "route of the gateway's": ({"http": 'get: "/livez"'}, "gateway's own"),
    "route of another": ({"http": 'get: "/documents/{text}"'}, "leads to both"),
    "body of a GET": ({"http": 'get: "/notes" body: "*"'}, "no body"),
    "body of one field": ({"http": 'post: "/notes" body: "text"'}, "isn't supported"),
    "two routes": ({"http": 'get: "/notes" additional_bindings { get: "/n" }'}, "additional_bindings"),
    "keyword of C": ({"more_calls": 'rpc Register(In) returns (Out) { option (google.api.http) = { get: "/r" }; option (quire.call) = { lane: "notes" }; }'}, "keyword of C"),
    "a stream": ({"more_calls": 'rpc S(stream In) returns (Out) { option (google.api.http) = { get: "/s" }; option (quire.call) = { lane: "notes" }; }'}, "streams"),
    "repeated query parameter": ({"http": 'get: "/notes"', "request": "repeated string text = 1;"}, "query string"),
    "deadline too long": ({"call": 'lane: "notes" deadline_ms: 30001'}, "30001"),
    "no deadline": ({"call": 'lane: "notes" deadline_ms: 0'}, "deadline_ms 0"),
    "status of a failure": ({"call": 'lane: "notes" status: 404'}, "status 404"),
    "204 with a body": ({"call": 'lane: "notes" status: 204'}, "204 has no body"),
    "location without its field": ({"call": 'lane: "notes" status: 201 location: "/notes/{id}"'}, "location's {id}"),
    "refusal that is none": ({"call": 'lane: "notes" refusals: [ { status: 204 about: "x" } ]'}, "204"),
    "GET that writes": ({"http": 'get: "/notes"', "call": 'lane: "notes" write: true'}, "must not write"),
    "key without a write": ({"call": 'lane: "notes" idempotency_key: true'}, "write: true"),
    "key without a session": ({"call": 'lane: "notes" access: PUBLIC write: true idempotency_key: true'}, "belongs to an account"),
    "note without a session": ({"call": 'lane: "notes" access: PUBLIC wants_session_note: true'}, "needs a session"),
    "key with a secret": ({"call": 'lane: "notes" write: true idempotency_key: true', "request": field("bytes", "sealed: true bytes_max: 9")}, "fingerprint"),
    "two reply headers": ({"reply": 'optional string a = 1 [(quire.field) = { header: "ETag" }];\noptional string b = 2 [(quire.field) = { header: "X-B" }];'},
                          "at most one header field"),
    "reply header of the gateway's": ({"reply": field("string", 'header: "X-Request-ID"')}, "writes the header"),
    "header with a secret": ({"request": field("string", 'header: "Authorization"')}, "may not reach a topic"),
    "header that is no name": ({"request": field("string", 'header: "a b"')}, "no header name"),
    "header of a number": ({"request": field("int64", 'header: "X-A"')}, "one string field"),
    "one header twice": ({"request": 'optional string a = 1 [(quire.field) = { header: "X-A" }];\noptional string b = 2 [(quire.field) = { header: "x-a" }];'}, "both the header"),
    "minted token without its hash": ({"reply": field("string", "minted_token: true")}, "minted_token_hash"),
    "minted hash without an account": ({"request": field("bytes", "minted_token_hash: true"), "reply": field("string", "minted_token: true")}, "gives_account_tag"),
    "two minted hashes": ({"request": 'optional bytes a = 1 [(quire.field).minted_token_hash = true];\noptional bytes b = 2 [(quire.field).minted_token_hash = true];'},
                          "both minted_token_hash"),
    "log-in limit without an account": ({"call": 'lane: "notes" access: PUBLIC throttle: LOG_IN'}, "counts by account"),
    "registration limit with a session": ({"call": 'lane: "notes" throttle: REGISTRATION'}, "public calls"),
    "UUID as text": ({"request": field("string", "format: UUID")}, "UUID is for bytes"),
    "time as text": ({"request": field("string", "format: TIME")}, "TIME is for int64"),
    "JSON as bytes": ({"request": field("bytes", "format: JSON_OBJECT")}, "JSON_OBJECT is for string"),
    "sealed text": ({"request": field("string", "sealed: true bytes_max: 9")}, "sealed is for one bytes"),
    "sealed without a bound": ({"request": field("bytes", "sealed: true")}, "bytes_max"),
    "sealed in a reply": ({"reply": field("bytes", "sealed: true bytes_max: 9")}, "is for requests"),
    "required and internal": ({"request": field("string", "internal: true required: true")}, "no client can give it"),
    "internal and a header": ({"request": field("string", 'internal: true header: "X-A"')}, "at once"),
    "characters of a number": ({"request": field("int64", "characters_max: 5")}, "one string"),
    "items of one": ({"request": field("string", "items_max: 5")}, "for repeated fields"),
    "number of a text": ({"request": field("string", "number_max: 5")}, "for number fields"),
    "bounds crossed": ({"request": field("string", "characters_min: 6 characters_max: 5")}, "is above"),
    "bound of nothing": ({"request": field("string", "characters_max: 0")}, "no bound"),
    "values of a number": ({"request": field("int64", 'values: [ "1" ]')}, "values"),
    "default that isn't a value": ({"request": 'optional string x = 2 [default = "c", (quire.field) = { values: [ "a", "b" ] }];'}, "none of its values"),
    "default out of bounds": ({"request": "optional int64 x = 2 [default = 6, (quire.field) = { number_max: 5 }];"}, "within its bounds"),
    "default of what is required": ({"request": "optional int64 x = 2 [default = 6, (quire.field) = { required: true }];"}, "never used"),
    "required in proto only": ({"request": "required string x = 2;"}, "`required` in proto"),
    "example that is no JSON": ({"request": field("string", "example: 'abc'")}, "no JSON"),
    "items alone without faults": ({"request": "repeated Item x = 2 [(quire.field).each_on_its_own = true];", "more": "message Item { optional string a = 1; }"},
                                   "with faults: true"),
    "faults that are texts": ({"request": "repeated string x = 2 [(quire.field).faults = true];"}, "FieldFault"),
    "a map": ({"request": "map<string, string> x = 2;"}, "maps"),
    "a message in itself": ({"request": "optional In x = 2;"}, "contains itself"),
    "address in an item": ({"request": "repeated Item x = 2;", "more": "message Item { optional string a = 1 [(quire.field).client_address = true]; }"}, "the request itself"),
    "event on a lane's topic": ({"more": 'message E { option (quire.topic) = { name: "notes.all" }; optional string a = 1; }'}, "used twice"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_contradictions_are_refused_with_their_place(notes, case):
    parts, words = REFUSED[case]
    generated = notes(**parts)
    assert generated.failed
    assert words in generated.errors
    assert "Traceback" not in generated.errors
    assert "notes" in generated.errors.lower()


def test_all_faults_are_told_at_once(notes):
    generated = notes(call='lane: "fast" deadline_ms: 0', request=field("string", "format: UUID"))
    assert len(re.findall("^generate.py: ", generated.errors, re.MULTILINE)) == 3


def test_a_refusal_writes_nothing(notes, tmp_path):
    notes(call='lane: "fast"')
    assert not (tmp_path / "contract.c").exists()
    assert not (tmp_path / "openapi.json").exists()


def test_what_protoc_refuses_is_told_by_protoc(with_proto):
    generated = with_proto("this is no proto")
    assert generated.failed and "notes.proto" in generated.errors and "Traceback" not in generated.errors


def test_a_service_added_changes_no_other(quire, notes):
    """The tables of the services before it stay as they are, to the letter."""
    generated = notes()
    assert quire.openapi["paths"].items() <= generated.openapi["paths"].items()
    assert {topic["name"] for topic in generated.topics} - {topic["name"] for topic in quire.topics} == {"notes.all", "notes.all-dlt"}
    for name in ("documents", "session", "query"):
        table = re.compile(rf"static const struct quire_call calls_quire__{name}\[\] = {{.*?\n}};", re.DOTALL)
        assert table.search(quire.contract).group() == table.search(generated.contract).group()


def test_texts_stay_what_they_are_in_c(notes):
    generated = notes(call=r'lane: "notes" summary: "a\"b\\c\n??= \303\251 1"')
    assert r'.summary = "a\"b\\c\012\077\077= \303\2511",' in generated.contract.replace(r"\251 1", r"\2511")


def test_fields_are_in_the_order_of_their_tags(notes):
    generated = notes(request='optional string z = 3 [(quire.field).characters_max = 3];\noptional string a = 1;\noptional string m = 2;')
    table = re.search(r"fields_notes__in\[\] = \{\n(.*?)\n\};", generated.contract, re.DOTALL).group(1)
    assert re.findall(r"/\* (\w+) \*/", table) == ["a", "m", "z"]


def test_topics_have_bounds(quire):
    by_name = {topic["name"]: topic for topic in quire.topics}
    assert len(by_name) == len(quire.topics)
    for topic in quire.topics:
        config = topic["config"]
        assert {"retention.ms", "retention.bytes", "segment.bytes", "segment.ms", "max.message.bytes"} <= config.keys()
        assert all(isinstance(value, str) for value in config.values())
        assert int(config["max.message.bytes"]) <= int(config["segment.bytes"])
    assert by_name["quire.replies"]["partitions"] == by_name["quire.replies.bulk"]["partitions"] == 64
    assert by_name["quire.documents.read"]["partitions"] == by_name["quire.documents.events"]["partitions"] == 12
    assert by_name["quire.documents.bulk-dlt"]["partitions"] == 1
    assert by_name["quire.documents.write"]["config"]["retention.ms"] == "600000"
    assert by_name["quire.documents.events"]["config"]["retention.ms"] == str(7 * 24 * 3600 * 1000)
    twenty_mib = str(20 * 1024 * 1024)
    assert {name for name, topic in by_name.items() if topic["config"]["max.message.bytes"] == twenty_mib} == {"quire.documents.bulk", "quire.replies.bulk"}


def test_a_dead_letter_topic_takes_the_largest_message_and_its_reasons(quire):
    by_name = {topic["name"]: int(topic["config"]["max.message.bytes"]) for topic in quire.topics}
    letters = [name for name in by_name if name.endswith("-dlt")]
    assert letters
    assert all(by_name[name] > by_name[name.removesuffix("-dlt")] for name in letters)
