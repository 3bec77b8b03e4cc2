"""The list: its order, its pages, its filters."""

import pytest

from client import faults


def titles(items):
    return [item["title"] for item in items]


@pytest.fixture
def fifty(account):
    documents = [{"title": f"t{n:02}", "content": f"common words and w{n}", "tags": ["even" if n % 2 == 0 else "odd", f"n{n}"]} for n in range(50)]
    assert account.post("/documents/batch", {"documents": documents}).status_code == 200
    return account


def test_a_summary_leaves_content_out(account):
    document = account.create(tags=["a"], metadata={"k": 1})
    response = account.get("/documents")
    assert response.status_code == 200
    del document["content"]
    assert response.json() == {"items": [document], "next_cursor": None}


def test_nothing_is_an_empty_page(account):
    assert account.get("/documents").json() == {"items": [], "next_cursor": None}


def test_newest_first(account):
    ids = [account.create(title=str(number))["id"] for number in range(5)]
    assert [item["id"] for item in account.listed()] == ids[::-1]


def test_twenty_unless_told(fifty):
    first = fifty.get("/documents").json()
    assert len(first["items"]) == 20 and first["next_cursor"]


@pytest.mark.parametrize("limit", [1, 7, 25, 49, 50, 51, 100])
def test_pages_join_without_gap_or_repetition(fifty, limit):
    items = fifty.listed(limit=limit)
    assert len({item["id"] for item in items}) == len(items) == 50
    assert items == fifty.listed(limit=100)
    assert [item["id"] for item in items] == sorted((item["id"] for item in items), reverse=True)


def test_pages_are_stable_under_writes(fifty):
    before = [item["id"] for item in fifty.listed(limit=100)]
    first = fifty.get("/documents", params={"limit": 10}).json()
    new = fifty.create(title="new")
    assert fifty.delete(f"/documents/{before[12]}").status_code == 204
    assert fifty.delete(f"/documents/{before[9]}").status_code == 204  # the cursor's own place
    assert fifty.put(f"/documents/{before[15]}", {"title": "changed", "content": "c"}).status_code == 200
    rest, cursor = [], first["next_cursor"]
    while cursor:
        page = fifty.get("/documents", params={"limit": 10, "cursor": cursor}).json()
        rest += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert rest == before[10:12] + before[13:]
    assert fifty.listed()[0]["id"] == new["id"]


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "1.5", "1e1", "99999999999999999999", "+5", " 5"])
def test_a_limit_out_of_bounds_is_422(account, limit):
    assert faults(account.get("/documents", params={"limit": limit})) == ["limit"]


@pytest.mark.parametrize("cursor", ["x", "null", "AAAA", "0190b6c1-0000-7000-8000-000000000000!", "🙂", "x" * 256, "x" * 257])
def test_a_bad_cursor_is_422(account, cursor):
    assert faults(account.get("/documents", params={"cursor": cursor})) == ["cursor"]


def test_a_cursor_that_was_changed_is_422_or_finds_nothing_of_others(fifty, other):
    cursor = fifty.get("/documents", params={"limit": 10}).json()["next_cursor"]
    response = other.get("/documents", params={"cursor": cursor})
    assert response.status_code == 422 or response.json()["items"] == []


def test_by_tag(fifty):
    assert len(fifty.listed(tag="even")) == 25
    assert titles(fifty.listed(tag="n7")) == ["t07"]
    assert fifty.listed(tag="none") == [] and fifty.listed(tag="eve") == []
    assert titles(fifty.listed(tag="odd", limit=4)) == [f"t{n:02}" for n in range(49, 0, -2)]


def test_q_matches_all_its_words_in_title_or_content(account):
    first = account.create("Copper kettle", "Boils water in the kitchen.")
    second = account.create("Iron pot", "Boils soup in the kitchen.")
    found = lambda q: {item["id"] for item in account.listed(q=q)}  # noqa: E731
    assert found("boils kitchen") == {first["id"], second["id"]}
    assert found("copper water") == {first["id"]}  # one in the title, one in the content
    assert found("copper soup") == set()
    assert found("KETTLE") == {first["id"]}
    assert found("Café") == set()


def test_q_of_very_many_words_leaves_none_out(account):
    words = [f"word{number}" for number in range(100)]
    whole = account.create(content=" ".join(words))
    account.create(content=" ".join(words[:90]))
    assert [item["id"] for item in account.listed(q=" ".join(words))] == [whole["id"]]
    assert faults(account.get("/documents", params={"q": "".join(chr(0x4e00 + number) for number in range(700))})) == ["q"]


def test_q_and_tag_hold_together_with_pages(fifty):
    items = fifty.listed(q="common words", tag="even", limit=7)
    assert titles(items) == [f"t{n:02}" for n in range(48, -1, -2)]


@pytest.mark.parametrize("q", ["%", "_", "'", "\\", "a & b", "!", "\"unclosed", "<->", ":*", "--", "(", "and or not", "🙂"])
def test_q_is_words_and_no_language(account, q):
    account.create()
    assert account.get("/documents", params={"q": q}).status_code == 200


@pytest.mark.parametrize("query, named", [("colour=red", "colour"), ("limit=1&limit=2", "limit"), ("limit=1&limit=1", "limit"), ("Limit=5", "Limit"),
                                          ("tag=" + "x" * 65, "tag")])
def test_unknown_or_repeated_parameters_are_422(account, query, named):
    assert faults(account.get(f"/documents?{query}")) == [named]


def test_an_empty_parameter_counts_as_absent(fifty):
    page = fifty.get("/documents?limit=&cursor=&tag=&q=")
    assert page.status_code == 200 and len(page.json()["items"]) == 20


def test_parameters_are_percent_decoded(account):
    account.create(title="spaced", tags=["a b/ü+"])
    assert titles(account.listed(tag="a b/ü+")) == ["spaced"]
    assert account.get("/documents?tag=a+b%2F%C3%BC%2B").json()["items"][0]["title"] == "spaced"
