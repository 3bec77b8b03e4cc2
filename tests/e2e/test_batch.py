"""Many documents in one request, each on its own."""

from client import UUID7, faults, new_key, problem


def batch(account, documents, **more):
    return account.post("/documents/batch", {"documents": documents}, **more)


def test_every_item_has_its_answer(account):
    response = batch(account, [{"title": f"number {n}", "content": f"content {n}", "tags": [str(n)]} for n in range(5)])
    assert response.status_code == 200
    items = response.json()["items"]
    assert [item["status"] for item in items] == [201] * 5
    for number, item in enumerate(items):
        assert item.keys() == {"status", "id"} and UUID7.fullmatch(item["id"])
        document = account.read(item["id"])
        assert (document["title"], document["content"], document["tags"]) == (f"number {number}", f"content {number}", [str(number)])


def test_a_fault_inside_an_item_is_that_items(account):
    response = batch(account, [{"title": "good", "content": "x"}, {"title": "", "content": 7, "more": 1}, {"title": "good too", "content": "y"}])
    assert response.status_code == 200
    first, second, third = response.json()["items"]
    assert (first["status"], third["status"]) == (201, 201)
    assert second["status"] == 422 and "id" not in second
    error = second["error"]
    assert error["status"] == 422 and error["title"] and error["type"]
    assert sorted(fault["field"] for fault in error["errors"]) == ["documents[1].content", "documents[1].more", "documents[1].title"]
    assert {document["title"] for document in account.listed()} == {"good", "good too"}


def test_an_item_that_is_no_object_is_that_items_fault(account):
    response = batch(account, [{"title": "t", "content": "c"}, "text", None])
    assert response.status_code == 200
    assert [item["status"] for item in response.json()["items"]] == [201, 422, 422]


def test_faults_outside_the_items_are_the_requests(account):
    assert faults(account.post("/documents/batch", {})) == ["documents"]
    assert faults(batch(account, [])) == ["documents"]
    assert faults(batch(account, {"title": "t"})) == ["documents"]
    assert faults(account.post("/documents/batch", {"documents": [{"title": "t", "content": "c"}], "more": 1})) == ["more"]
    assert faults(batch(account, [{"title": "t", "content": "c"}] * 1001)) == ["documents"]
    problem(account.post_bytes("/documents/batch", b'{"documents": [{"title": "t", "title": "u", "content": "c"}]}'), 400)
    assert account.listed() == []


def test_a_thousand_documents(account):
    response = batch(account, [{"title": f"t{n}", "content": f"word{n} stands here"} for n in range(1000)], headers={"Request-Timeout": "30"})
    assert response.status_code == 200
    items = response.json()["items"]
    assert len({item["id"] for item in items}) == 1000 and {item["status"] for item in items} == {201}
    assert len(account.listed(limit=100)) == 1000
    assert account.found("word437")[0] == items[437]["id"]


def test_a_batch_again_with_its_key_has_one_effect(account):
    key, documents = new_key(), [{"title": "one", "content": "x"}, {"title": "", "content": "x"}, {"title": "two", "content": "y"}]
    first, second = batch(account, documents, key=key), batch(account, documents, key=key)
    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert len(account.listed()) == 2
    problem(batch(account, documents[:1], key=key), 409)
