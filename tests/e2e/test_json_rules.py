"""What is JSON and what is valid: API.md's rules, through POST /documents and the others."""

import pytest

from client import faults, problem

BASE = b'"title":"t","content":"c"'


def post(account, body, path="/documents"):
    return account.post_bytes(path, body)


def refused(account, body, at=None):
    detail = problem(post(account, body), 400)["detail"]
    place = detail.rpartition("at byte ")[2]
    assert place.isdigit(), detail
    assert int(place) <= len(body)
    if at is not None:
        assert int(place) == at, detail
    assert account.listed() == []


@pytest.mark.parametrize("body, at", [
    (b"", 0), (b" ", None), (b"{", None), (b'{"title"}', 8), (b'{"title":}', 9), (b'{"title":"t",}', None), (b"{'title':1}", 1), (b'{"a":01}', None),
    (b'{"a":NaN}', 5), (b'{"a":Infinity}', 5), (b'{"a":+1}', 5), (b'{"a":.5}', 5), (b'{"a":1.}', None), (b'{"a":"\t"}', 6), (b'{"a":"\\x"}', None),
    (b'{"a":tru}', None), (b'{"a":1}{"b":2}', 7), (b'{"a":1} x', 8), (b"// c\n{}", 0), (b"{} // c", 3), (b'{"a":"x', None), (b"\xef\xbb\xbf{}", 0),
    (b'{"a":"\\u12"}', None), (b"\x00", 0), (b'{"a":1,,"b":2}', 7),
])
def test_invalid_json_is_400_and_says_where(account, body, at):
    refused(account, body, at)


@pytest.mark.parametrize("bad", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80", b"\xf8\x88\x80\x80\x80"])
def test_invalid_utf8_is_400_and_says_where(account, bad):
    head = b'{"title":"t","content":"abc'
    refused(account, head + bad + b'"}', at=len(head))


@pytest.mark.parametrize("body", [
    b'{"title":"t","title":"t","content":"c"}', b'{"title":"t","content":"c","metadata":{"a":1,"a":2}}', b'{"title":"t","content":"c","metadata":{"x":[{"b":1,"b":1}]}}',
    b'{"title":"t","content":"c","\\u0074itle":"u"}', b'{"unknown":1,"unknown":2,"title":"t","content":"c"}',
])
def test_duplicate_keys_are_400_at_any_depth(account, body):
    refused(account, body)


def test_equal_keys_of_different_objects_are_none(account):
    assert post(account, b'{"title":"t","content":"c","metadata":{"a":{"a":1},"b":{"a":1}}}').status_code == 201


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"null", b"true", b'[{"title":"t","content":"c"}]'])
def test_a_body_that_is_no_object_is_422(account, body):
    problem(post(account, body), 422)
    problem(post(account, body, "/query"), 422)
    problem(post(account, body, "/auth/register"), 422)


def test_unknown_fields_are_named_all_of_them(account):
    assert sorted(faults(post(account, b"{" + BASE + b',"one":1,"two":{"three":3}}'))) == ["one", "two"]


def test_all_faults_are_told_at_once(account):
    assert sorted(faults(post(account, b'{"title":1,"tags":[1,"ok",null],"metadata":[],"x":1}'))) == ["content", "metadata", "tags[0]", "tags[2]", "title", "x"]


def test_null_is_no_text(account):
    assert faults(post(account, b'{"title":null,"content":"c"}')) == ["title"]


@pytest.mark.parametrize("depth, accepted", [(97, True), (101, False), (1000, False), (100_000, False)])
def test_nesting_over_100_levels_is_422(account, depth, accepted):
    nested = b'{"x":' + b"[" * depth + b"]" * depth + b"}"  # depth + 2 levels with the body's own
    response = post(account, b"{" + BASE + b',"metadata":' + nested + b"}")
    if accepted:
        assert response.status_code == 201
    else:
        problem(response, 422)


def test_exactly_100_levels(account):
    def body(levels):  # the body and metadata are the first two
        return b"{" + BASE + b',"metadata":{"x":' + b"[" * (levels - 2) + b"]" * (levels - 2) + b"}}"

    assert post(account, body(100)).status_code == 201
    problem(post(account, body(101)), 422)


@pytest.mark.parametrize("text", [rb"\u0000", rb"a\u0000b", rb"\ud800", rb"\udc00", rb"\ud800\ud800", rb"\udc00\ud800", rb"x\udbffy"])
def test_nul_and_lone_surrogates_are_422(account, text):
    for body in (b'{"title":"' + text + b'","content":"c"}', b"{" + BASE + b',"metadata":{"k":"' + text + b'"}}',
                 b"{" + BASE + b',"metadata":{"' + text + b'":1}}', b"{" + BASE + b',"tags":["' + text + b'"]}'):
        problem(post(account, body), 422)
    assert account.listed() == []


def test_escapes_mean_what_they_say(account):
    response = post(account, rb'{"title":"\ud83d\ude42\u00fc\n\/","content":"\u2028\"\\"}')
    assert response.status_code == 201
    assert (response.json()["title"], response.json()["content"]) == ("🙂ü\n/", "\u2028\"\\")


def test_white_space_around_is_allowed(account):
    assert post(account, b' \r\n\t{ "title" : "t" , "content" : "c" } \n').status_code == 201


def test_an_empty_body_is_400(account):
    for path in ("/documents", "/query", "/auth/login", "/auth/register", "/documents/batch"):
        assert problem(post(account, b"", path), 400)["detail"].endswith("at byte 0")


def test_a_query_string_where_there_is_a_body_is_422(account):
    problem(account.post("/documents?limit=1", {"title": "t", "content": "c"}), 422)
    problem(account.get("/auth/me?x=1"), 422)


def test_the_service_is_unharmed_by_all_that(account):
    for body in (b"{", b"[" * 200_000, b'{"a":' * 50_000, b"\xff" * 10_000, b'"' + b"\\" * 9_999):
        assert post(account, body).status_code in (400, 422)
    assert post(account, b"{" + BASE + b"}").status_code == 201
