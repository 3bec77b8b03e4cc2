"""What a request asks to hold of a document: If-Match and If-None-Match (RFC 9110 13)."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from client import new_key, problem, unknown_id


def body(**more):
    return {"title": "A title", "content": "Some content.", **more}


def write(account, method, path, headers, **more):
    return account.request(method, path, headers=headers, **more, **({"json": body(title="C")} if method == "PUT" else {}))


def test_if_none_match_is_304_until_something_changes(account):
    created = account.post("/documents", body())
    path, etag = created.headers["Location"], created.headers["ETag"]
    for condition in (etag, f'"other", {etag}', "*", f"W/{etag}"):
        response = account.get(path, headers={"If-None-Match": condition})
        assert response.status_code == 304 and response.content == b""
        assert response.headers["ETag"] == etag
    assert account.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    replaced = account.put(path, body(title="B"))
    assert replaced.headers["ETag"] != etag
    assert account.get(path, headers={"If-None-Match": etag}).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_if_match_that_no_longer_holds_is_412(account, method):
    created = account.post("/documents", body())
    path, old = created.headers["Location"], created.headers["ETag"]
    new = account.put(path, body(title="B")).headers["ETag"]
    for condition in (old, '"other"', f"W/{new}", f'{old}, "other"'):
        problem(write(account, method, path, {"If-Match": condition}), 412)
        assert account.get(path).headers["ETag"] == new
    assert write(account, method, path, {"If-Match": f'"other", {new}'}).status_code in (200, 204)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_if_match_any_holds_for_what_is_there(account, method):
    path = account.post("/documents", body()).headers["Location"]
    assert write(account, method, path, {"If-Match": "*"}).status_code in (200, 204)


def test_on_a_missing_document_it_is_404_whatever_the_conditions(account):
    path = f"/documents/{unknown_id()}"
    for condition in ("*", '"x"', '"1"'):
        problem(account.put(path, body(), headers={"If-Match": condition}), 404)
        problem(account.delete(path, headers={"If-Match": condition}), 404)
        problem(account.get(path, headers={"If-None-Match": condition}), 404)
        problem(account.put(path, body(), headers={"If-None-Match": condition}), 404)
        problem(account.delete(path, headers={"If-None-Match": condition}), 404)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_if_none_match_on_a_write_is_412_where_it_names_what_is_there(account, method):
    """Else a client that may not overwrite (`*`), or not this version, would."""
    created = account.post("/documents", body())
    path, etag = created.headers["Location"], created.headers["ETag"]
    for condition in ("*", etag, f"W/{etag}", f'"other", {etag}'):
        problem(write(account, method, path, {"If-None-Match": condition}), 412)
        problem(write(account, method, path, {"If-Match": etag, "If-None-Match": condition}), 412)
        assert account.get(path).json() == created.json()
    assert write(account, method, path, {"If-None-Match": f'"other", W/"{etag.strip(chr(34))}0"'}).status_code in (200, 204)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_if_match_is_judged_before_if_none_match(account, method):
    created = account.post("/documents", body())
    path = created.headers["Location"]
    told = problem(write(account, method, path, {"If-Match": '"old"', "If-None-Match": "*"}), 412)["detail"]
    assert told == problem(write(account, method, path, {"If-Match": '"old"'}), 412)["detail"]
    assert told != problem(write(account, method, path, {"If-None-Match": "*"}), 412)["detail"]
    assert write(account, method, path, {"If-Match": created.headers["ETag"], "If-None-Match": '"old"'}).status_code in (200, 204)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_kept_answer_comes_again_whatever_if_none_match_says(account, method):
    """A retry must hear what it did, though the document is another by then; a refusal keeps nothing under the key."""
    created = account.post("/documents", body())
    path, condition, key = created.headers["Location"], {"If-None-Match": '"2"'}, new_key()
    problem(write(account, method, path, {"If-None-Match": "*"}, key=key), 412)
    first, again = (write(account, method, path, condition, key=key) for _ in range(2))
    assert first.status_code in (200, 204) and (again.status_code, again.content) == (first.status_code, first.content)
    if method == "PUT":
        assert first.headers["ETag"] == again.headers["ETag"] == account.get(path).headers["ETag"] == '"2"'


MALFORMED = ['"1"x', 'x"1"', '"1" "1"', '"1";a', '*, "1"', '"1", *', "* *", "1", '"1', "W/1", 'w/"1"', 'W/ "1"', '"1" , 1', '"a b"', "'1'",
             ", ".join(['"1"'] * 101)]


@pytest.mark.parametrize("condition", MALFORMED, ids=lambda value: value[:12])
def test_a_condition_that_cannot_be_read_is_a_400_that_names_it(account, condition):
    """Taken for a match it would let a write through, or tell that a document is unchanged that nobody compared."""
    created = account.post("/documents", body())
    path = created.headers["Location"]
    for name in ("If-Match", "If-None-Match"):
        for method in ("PUT", "DELETE"):
            assert name in problem(write(account, method, path, {name: condition}), 400)["detail"]
    assert "If-None-Match" in problem(account.get(path, headers={"If-None-Match": condition}), 400)["detail"]
    assert account.get(path).json() == created.json()


@pytest.mark.parametrize("spelling", ["{}", '"x"\t,\t{}', ',, {} ,,"x"', '"x",{},', 'W/"x", {}', '"a;b,c", {}', '"\u00e9", {}'])
def test_a_list_may_be_spelled_as_http_lets_it(account, spelling):
    created = account.post("/documents", body())
    path, condition = created.headers["Location"], spelling.format(created.headers["ETag"]).encode()
    assert account.get(path, headers={"If-None-Match": condition}).status_code == 304
    problem(write(account, "PUT", path, {"If-None-Match": condition}), 412)
    assert write(account, "PUT", path, {"If-Match": condition}).status_code == 200


@pytest.mark.gateway
def test_of_two_writers_with_the_same_if_match_one_wins(account, stack):
    created = account.post("/documents", body())
    path, etag = created.headers["Location"], created.headers["ETag"]

    def replace(number):
        api = account.at(stack.gateways[number % 2])
        return api.put(path, body(title=f"by {number}"), headers={"If-Match": etag}).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(replace, range(8)))
    assert statuses == [200] + [412] * 7
    assert account.get(path).json()["version"] == 2
