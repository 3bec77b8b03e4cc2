"""The same key: one effect, one answer."""

from concurrent.futures import ThreadPoolExecutor

from client import new_key, problem

BODY = {"title": "once", "content": "only once", "tags": ["x"]}


def at_once(count, call):
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(call, range(count)))


def test_the_same_key_twenty_times_at_once(account, stack):
    key = new_key()
    apis = [account.at(gateway) for gateway in stack.gateways]
    responses = at_once(20, lambda number: apis[number % 2].post("/documents", BODY, key=key))
    assert {response.status_code for response in responses} == {201}
    assert len({response.content for response in responses}) == 1
    assert len({(response.headers["ETag"], response.headers["Location"]) for response in responses}) == 1
    assert len(account.listed()) == 1


def test_twenty_keys_at_once_are_twenty_documents(account):
    responses = at_once(20, lambda number: account.post("/documents", BODY, key=new_key()))
    assert len({response.json()["id"] for response in responses}) == 20
    assert len(account.listed()) == 20


def test_without_a_key_each_is_its_own(account):
    assert account.create()["id"] != account.create()["id"]


def test_create_again_gets_the_first_answer_whatever_happened_in_between(account):
    key = new_key()
    first = account.post("/documents", BODY, key=key)
    path = first.headers["Location"]
    assert account.put(path, {"title": "changed", "content": "c"}).status_code == 200
    again = account.post("/documents", BODY, key=key)
    assert (again.status_code, again.content, again.headers["ETag"], again.headers["Location"]) == (201, first.content, first.headers["ETag"], path)
    assert account.get(path).json()["title"] == "changed"
    assert account.delete(path).status_code == 204
    again = account.post("/documents", BODY, key=key)
    assert (again.status_code, again.content) == (201, first.content)
    problem(account.get(path), 404)


def test_put_again_has_no_second_effect(account):
    path = account.post("/documents", BODY).headers["Location"]
    key = new_key()
    first = account.put(path, {"title": "A", "content": "a"}, key=key)
    account.put(path, {"title": "B", "content": "b"})
    again = account.put(path, {"title": "A", "content": "a"}, key=key)
    assert (again.status_code, again.content, again.headers["ETag"]) == (200, first.content, first.headers["ETag"])
    now = account.get(path).json()
    assert (now["title"], now["version"]) == ("B", 3)


def test_delete_again_is_204_again(account):
    path = account.post("/documents", BODY).headers["Location"]
    key = new_key()
    assert [account.delete(path, key=key).status_code for _ in range(3)] == [204, 204, 204]
    problem(account.delete(path), 404)
    problem(account.delete(path, key=new_key()), 404)


def test_anything_else_under_a_key_is_409(account):
    key = new_key()
    path = account.post("/documents", BODY, key=key).headers["Location"]
    problem(account.post("/documents", {**BODY, "title": "other"}, key=key), 409)
    problem(account.put(path, BODY, key=key), 409)
    problem(account.delete(path, key=key), 409)
    problem(account.post("/documents/batch", {"documents": [BODY]}, key=key), 409)
    assert account.get(path).json()["version"] == 1 and len(account.listed()) == 1


def test_a_key_belongs_to_its_account(account, other):
    key = new_key()
    mine, theirs = account.create(key=key), other.create(key=key)
    assert mine["id"] != theirs["id"]
    problem(other.get(f"/documents/{mine['id']}"), 404)


def test_a_key_is_the_accounts_over_all_its_sessions(account):
    key = new_key()
    assert account.create(key=key) == account.another_session().create(key=key)


def test_refusals_are_not_kept(account):
    key = new_key()
    problem(account.post("/documents", {"title": ""}, key=key), 422)
    first = account.post("/documents", BODY, key=key)
    assert first.status_code == 201
    path, etag = first.headers["Location"], first.headers["ETag"]
    key = new_key()
    problem(account.put(path, BODY, key=key, headers={"If-Match": '"old"'}), 412)
    assert account.put(path, BODY, key=key, headers={"If-Match": etag}).status_code == 200
    problem(account.put(path, BODY, key=new_key(), headers={"If-Match": etag}), 412)


def test_reads_take_no_notice_of_a_key(account):
    key = new_key()
    path = account.post("/documents", BODY, key=key).headers["Location"]
    assert account.get(path, key=key).status_code == 200
    assert account.get("/documents", key=key).status_code == 200
    assert account.post("/query", {"query": "once"}, key=key).status_code == 200
    assert account.post("/query", {"query": "other"}, key=key).status_code == 200
