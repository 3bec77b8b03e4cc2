"""POST /@name@: adds a note, once, for its caller alone."""

from client import problem


def add(api, text, **more):
    response = api.post("/@name@", {"text": text}, **more)
    assert response.status_code == 201, response.text
    return response.json()


def test_notes_are_numbered_for_each_account(account, other):
    assert add(account, "first") == {"text": "first", "number": 1}
    assert add(account, "second") == {"text": "second", "number": 2}
    assert add(other, "theirs")["number"] == 1


def test_a_repeated_key_adds_nothing(account):
    assert [add(account, "once", key="k")["number"] for _ in range(3)] == [1, 1, 1]
    problem(account.post("/@name@", {"text": "other"}, key="k"), 409)
    assert add(account, "next")["number"] == 2


def test_what_is_not_valid_is_refused(account, anyone):
    assert [error["field"] for error in problem(account.post("/@name@", {"text": "x" * 201}), 422)["errors"]] == ["text"]
    problem(anyone.post("/@name@", {"text": "hello"}), 401)
