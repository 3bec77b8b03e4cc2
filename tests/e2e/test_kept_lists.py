"""Searches that add up postings lists which the query service keeps: they answer as the database would, and never of a state that is over.

With a filter the database does the whole search, so a filter that names every document is the other opinion on the same question."""

import itertools
import threading

import pydoc_data.topics
import pytest

from client import Account

TOPICS = 40  # of Python's language reference: natural text that comes with every Python
CHARACTERS_MAX = 30_000
OTHERS = [
    ("de", "Leuchtturm", "Der Wärter putzt jeden Abend die Linse und entzündet die Lampe. Die Häuser am Hafen sind dann schon dunkel."),
    ("ru", "Маяк", "Смотритель каждый вечер протирает линзу и зажигает лампу. Дома у гавани уже темны, и корабли идут на свет."),
    ("ja", "灯台", "灯台守は毎晩レンズを磨いてランプに火をともします。港の家々はもう暗くなっています。"),
    ("he", "מגדלור", "השומר מנקה את העדשה בכל ערב ומדליק את המנורה. הבתים ליד הנמל כבר חשוכים."),
    ("xx", "Short", "A lamp, a lens and a class statement in no language that anyone knows."),
]
QUESTIONS = [
    "how do I catch an exception and raise another one instead of it?",
    "what is the difference between a list and a tuple?",
    "how does the with statement close a file when an error occurs?",
    "Which methods does a class need so that its instances can be compared and hashed?",
    "when does an asynchronous function give up control to the event loop?",
    "Wer putzt die Linse der Lampe am Hafen?",
    "Кто зажигает лампу для кораблей?",
    "灯台守はランプに火をともしますか",
    "מי מדליק את המנורה בנמל?",
    "lamp lens class",
    "the of and",
    "zyzzyva",
    "statement",
]
WAYS = ({}, {"top_k": 1}, {"top_k": 100}, {"top_k": 30, "max_per_document": 1}, {"top_k": 30, "max_per_document": 3})


def store(account, documents):
    items = account.post("/documents/batch", {"documents": documents}, headers={"Request-Timeout": "30"}).json()["items"]
    assert all(item["status"] == 201 for item in items), items
    return [item["id"] for item in items]


def open_library(url):
    """An account with some hundred passages in several languages; `everything` names all its documents."""
    account = Account.open(url)
    topics = itertools.islice(sorted(pydoc_data.topics.topics.items()), TOPICS)
    documents = [{"title": name, "content": text[:CHARACTERS_MAX], "tags": [name[0]]} for name, text in topics]
    documents += [{"title": title, "content": content, **({"language": language} if language != "xx" else {})} for language, title, content in OTHERS]
    account.everything = store(account, documents)
    return account


@pytest.fixture(scope="module")
def library(stack):
    account = open_library(stack.gateway.url)
    yield account
    account.close()


def answered(stack, way):
    return stack.query.metrics().sum("quire_query_searches_total", way=way)


def answers(account):
    return {(question, tuple(way.items())): account.search(question, **way) for question in QUESTIONS for way in WAYS}


def test_kept_and_fetched_lists_answer_as_the_database_does(stack, library):
    found = 0
    for question, way in itertools.product(QUESTIONS, WAYS):
        expected = library.search(question, document_ids=library.everything, **way)
        assert library.search(question, **way) == expected, (question, way)  # with lists that were fetched, as a rule
        before = answered(stack, "kept")
        assert library.search(question, **way) == expected, (question, way)
        assert answered(stack, "kept") == before + 1, (question, way)
        found += len(expected)
    assert found > 500  # of so many results each is the same, with score, text and highlights


def test_lists_are_fetched_one_by_one(stack, account):
    """A question that shares words with an earlier one asks for the others' lists alone, and finds what both have."""
    first, second = account.create("1", "a walrus dived"), account.create("2", "a walrus and an oyster")
    assert sorted(account.found("walrus")) == sorted([first["id"], second["id"]])
    fetched = answered(stack, "fetched")
    assert account.found("oyster walrus") == [second["id"], first["id"]]
    assert answered(stack, "fetched") == fetched + 1
    assert account.search("oyster walrus") == account.search("oyster walrus", document_ids=[first["id"], second["id"]])


def test_each_write_is_seen_by_the_next_question(stack, account):
    other_gateway = account.at(stack.gateways[1])
    account.create("Ballast", "Nothing but stones and water, and no fruit at all.")
    for number in range(10):
        asked = [account, other_gateway][number % 2]
        for _ in range(2):  # the second answer is of lists that are kept
            assert asked.found("apricot blueberry") == []
        document = account.create(f"Fruit {number}", "an apricot")
        assert asked.found("apricot blueberry") == [document["id"]]
        path = f"/documents/{document['id']}"
        assert account.put(path, {"title": "Fruit", "content": "a blueberry"}).status_code == 200
        results = asked.search("apricot blueberry")
        assert [result["text"] for result in results] == ["a blueberry"] and "**blueberry**" in results[0]["highlights"][0]
        assert asked.found("apricot") == []
        assert account.put(path, {"title": "Berry", "content": "a blueberry", "tags": ["new"]}).status_code == 200
        assert [result["title"] for result in asked.search("blueberry")] == ["Berry"]
        assert account.delete(path).status_code == 204
    assert account.found("apricot blueberry") == []


def test_a_language_that_comes_later_has_its_words_found(account):
    english = account.create("Running", "Nobody runs along the quay.", language="en")
    assert account.found("Läufer laufen runs") == [english["id"]]
    german = account.create("Laufen", "Die Läufer laufen.", language="de")
    assert account.found("Läufer laufen runs")[0] == german["id"]
    account.delete(f"/documents/{german['id']}")
    assert account.found("Läufer laufen runs") == [english["id"]]


def test_accounts_with_the_same_words_never_meet(account, other):
    mine, theirs = account.create("Mine", "the same walrus"), other.create("Theirs", "the same walrus, twice a walrus")
    for _ in range(3):
        assert account.found("walrus", top_k=100) == [mine["id"]]
        assert other.found("walrus", top_k=100) == [theirs["id"]]
    other.delete(f"/documents/{theirs['id']}")
    assert account.found("walrus") == [mine["id"]] and other.found("walrus") == []


def test_no_answer_mixes_two_states(stack, account):
    """A document changes to and fro while others ask: each text shown has the word that it was found by."""
    document = account.create("an apricot", "an apricot")
    stop = threading.Event()

    def write():
        with account.at(stack.gateways[1]) as writer:
            for text in itertools.cycle(("a blueberry", "an apricot")):
                if stop.is_set():
                    return
                assert writer.put(f"/documents/{document['id']}", {"title": text, "content": text}).status_code == 200

    writing = threading.Thread(target=write)
    writing.start()
    try:
        for number in range(200):
            word = ("apricot", "blueberry")[number % 2]
            results = account.search(word)
            assert all(word in result["text"] and word in result["title"] and result["score"] > 0 for result in results), (word, results)
            assert len(account.search("apricot blueberry")) == 1  # one of the two is always there
    finally:
        stop.set()
        writing.join()


@pytest.mark.destructive
def test_a_cut_list_is_cut_as_the_database_cuts_it(stack, library):
    """A filter would count otherwise here, so a service without a cache has the other opinion."""
    def restart(megabytes):
        stack.query.overrides.update({"QUIRE_QUERY_POSTINGS_MAX": "100", "QUIRE_QUERY_CACHE_MB": megabytes})
        stack.restart(stack.query)
        stack.wait_ready()

    restart("0")
    expected = answers(library)
    assert answered(stack, "kept") == answered(stack, "fetched") == 0 < answered(stack, "database")
    restart("8")
    assert answers(library) == expected
    database = answered(stack, "database")
    assert answers(library) == expected
    assert answered(stack, "database") == database


@pytest.mark.destructive
def test_a_small_cache_holds_its_bound_and_answers_right(stack, library, new_account):
    stack.query.overrides.update({"QUIRE_QUERY_CACHE_MB": "1"})
    stack.restart(stack.query)
    stack.wait_ready()
    words = [f"word{number}x" for number in range(400)]
    accounts = [new_account() for _ in range(4)]
    for account in accounts:
        store(account, [{"title": str(number), "content": " ".join(words[number:] + words[:number])} for number in range(30)])
    expected = library.search(QUESTIONS[0], document_ids=library.everything)
    for number in range(0, 400, 4):
        for account in accounts:
            assert len(account.search(" ".join(words[number:number + 4]), top_k=30)) == 30
        if number % 40 == 0:
            assert library.search(QUESTIONS[0]) == expected
            assert stack.query.metrics().sum("quire_query_cache_bytes") <= 1 << 20
    assert stack.query.metrics().sum("quire_query_cache_evictions_total") > 0
