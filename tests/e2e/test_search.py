"""POST /query: what is found, in which order, and for whom."""

import pytest

from client import faults, problem, unknown_id


def test_a_passage_is_found_the_moment_its_post_has_answered(account):
    account.create("Other", "Nothing of the kind is written here.")
    document = account.create("Volcano", "The crater of Stromboli glows at night.", tags=["geo"])
    response = account.post("/query", {"query": "stromboli crater"})
    assert response.status_code == 200
    answer = response.json()
    assert answer.keys() == {"results", "mode", "took_ms"}
    assert answer["mode"] == "text" and answer["took_ms"] >= 0
    best = answer["results"][0]
    assert {"document_id", "title", "chunk_index", "text", "score"} <= best.keys() <= {"document_id", "title", "chunk_index", "text", "score", "highlights"}
    assert best["document_id"] == document["id"] and best["title"] == "Volcano" and best["chunk_index"] == 0
    assert "Stromboli" in best["text"] and best["score"] > 0
    assert any("**" in piece for piece in best["highlights"])


def test_nothing_found_is_an_empty_list(account):
    account.create()
    assert account.search("zyzzyva") == []


def test_every_passage_of_a_long_document_is_found(account):
    paragraphs = [f"Section {n}. " + "Filler sentences stand here for length. " * 25 + f"The secret of part {n} is marker{n}x." for n in range(30)]
    document = account.create("Long", "\n\n".join(paragraphs))
    for number in (0, 13, 29):
        best = account.search(f"marker{number}x")[0]
        assert best["document_id"] == document["id"] and f"marker{number}x" in best["text"]
        assert len(best["text"]) < 3000
    assert account.search("marker0x")[0]["chunk_index"] < account.search("marker29x")[0]["chunk_index"] < document["chunk_count"]


def test_best_first_and_rare_words_count_more(account):
    for number in range(12):
        account.create(f"Report {number}", "The committee met and the report was read to the committee.")
    rare = account.create("Minutes", "The committee heard of an axolotl.")
    results = account.search("committee axolotl report")
    assert results[0]["document_id"] == rare["id"]
    scores = [result["score"] for result in results]
    assert scores == sorted(scores, reverse=True)


def test_equal_scores_have_a_stable_order(account):
    for _ in range(8):
        account.create("Same", "Exactly the same words in each.")
    first = account.found("same words", top_k=8)
    assert len(first) == 8
    for _ in range(5):
        assert account.found("same words", top_k=8) == first
    assert account.found("same words", top_k=3) == first[:3]


def test_five_unless_told(account):
    for number in range(8):
        account.create(str(number), "melon")
    assert len(account.search("melon")) == 5
    assert len(account.search("melon", top_k=1)) == 1
    assert len(account.search("melon", top_k=100)) == 8


def test_several_tags_mean_all_of_them(account):
    both = account.create("both", "melon", tags=["a", "b"])
    one = account.create("one", "melon", tags=["a"])
    assert set(account.found("melon", tags=["a"])) == {both["id"], one["id"]}
    assert account.found("melon", tags=["a", "b"]) == [both["id"]]
    assert account.found("melon", tags=["a", "c"]) == []


def test_only_the_documents_named(account):
    ids = [account.create(str(number), "melon")["id"] for number in range(4)]
    assert set(account.found("melon", document_ids=ids[1:3])) == set(ids[1:3])
    assert account.found("melon", document_ids=[unknown_id()]) == []


def test_no_more_passages_of_a_document_than_asked_for(account):
    text = "\n\n".join("Melon again, and further words that fill this paragraph up to its length. " * 12 for _ in range(8))
    big = account.create("big", text)
    small = account.create("small", "melon")
    found = account.found("melon", top_k=10)
    assert found.count(big["id"]) > 1
    limited = account.found("melon", top_k=10, max_per_document=1)
    assert sorted(limited) == sorted([big["id"], small["id"]])
    assert account.found("melon", top_k=10, max_per_document=2).count(big["id"]) == 2


def test_an_empty_filter_is_422(account):
    account.create("x", "melon")
    assert faults(account.post("/query", {"query": "melon", "tags": []})) == ["tags"]
    assert faults(account.post("/query", {"query": "melon", "document_ids": []})) == ["document_ids"]


@pytest.mark.parametrize("mode, used", [("auto", "text"), ("text", "text"), ("hybrid", "text")])
def test_mode_says_what_was_used(account, mode, used):
    account.create("x", "melon")
    answer = account.post("/query", {"query": "melon", "mode": mode}).json()
    assert answer["mode"] == used and len(answer["results"]) == 1


def test_vectors_that_are_not_there_are_503(account):
    problem(account.post("/query", {"query": "melon", "mode": "vector"}), 503)


@pytest.mark.parametrize("fields, named", [
    ({}, "query"), ({"query": ""}, "query"), ({"query": "x" * 4097}, "query"), ({"query": 1}, "query"), ({"query": "x", "top_k": 0}, "top_k"),
    ({"query": "x", "top_k": 101}, "top_k"), ({"query": "x", "top_k": 1.5}, "top_k"), ({"query": "x", "top_k": "5"}, "top_k"),
    ({"query": "x", "mode": "best"}, "mode"), ({"query": "x", "tags": "a"}, "tags"), ({"query": "x", "document_ids": ["x"]}, "document_ids[0]"),
    ({"query": "x", "max_per_document": 0}, "max_per_document"), ({"query": "x", "limit": 5}, "limit"),
])
def test_what_is_not_valid_is_named(account, fields, named):
    assert faults(account.post("/query", fields)) == [named]


@pytest.mark.parametrize("query", ["'", "a & b | !c", ":*", "<->", "%", "\\", "((", "-minus +plus \"quote", "🙂", ".", "the and of", "x" * 4096, "שלום", "北京"])
def test_a_query_is_words_and_no_language(account, query):
    account.create()
    assert account.post("/query", {"query": query}).status_code == 200


def test_a_replaced_document_is_found_by_its_new_words_only(account):
    document = account.create("x", "apricot")
    account.put(f"/documents/{document['id']}", {"title": "x", "content": "blueberry"})
    assert account.found("apricot") == [] and account.found("blueberry") == [document["id"]]
    account.delete(f"/documents/{document['id']}")
    assert account.found("blueberry") == []


def test_only_ones_own_documents(account, other):
    account.create("mine", "melon")
    theirs = other.create("theirs", "melon", tags=["t"])
    assert theirs["id"] not in account.found("melon", top_k=100)
    assert account.found("melon", document_ids=[theirs["id"]]) == []
    assert account.found("melon", tags=["t"]) == []


def test_words_are_found_by_their_stem_and_without_accents(account):
    document = account.create("Stem", "The children were running through the café.", language="en")
    assert account.found("child running runs") == [document["id"]]
    assert account.found("cafe") == [document["id"]]


@pytest.mark.parametrize("language, content, query", [
    ("de", "Die Häuser am Rand der Stadt wurden verkauft.", "Haus verkaufen"), ("ru", "Корабли вышли из гавани на рассвете.", "корабль гавань"),
    ("ja", "東京の天気は明日から雨になるでしょう。", "東京の天気"), ("zh", "北京的天气明天会下雨。", "北京天气"), ("ko", "서울의 날씨는 내일부터 비가 옵니다.", "서울 날씨"),
    ("he", "הספרייה נפתחת בבוקר ונסגרת בערב.", "ספרייה"),
])
def test_other_languages_are_found(account, language, content, query):
    document = account.create("t", content, language=language)
    account.create("u", "Something else entirely.")
    assert account.found(query)[:1] == [document["id"]]
