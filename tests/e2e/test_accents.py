"""Words with accents and without them are one word, in lists and in searches."""

import os
import unicodedata
import uuid

import pytest

SERVICES = os.path.join(os.path.dirname(__file__), "../../services")
WRITTEN = "café naïve Ünïcode"


def listed(account, words):
    return [item["id"] for item in account.get("/documents", params={"q": words}).json()["items"]]


@pytest.mark.parametrize("language", [None, "en", "pl", "vi"])
def test_a_word_is_found_with_and_without_its_accents(account, language):
    more = {} if language is None else {"language": language}
    accented = account.create("With", WRITTEN, **more)["id"]
    plain = account.create("Without", "cafe naive unicode", **more)["id"]
    for word in [*WRITTEN.split(), "cafe", "naive", "unicode", "CAFÉ", "NAÏVE", unicodedata.normalize("NFD", "naïve")]:
        assert sorted(listed(account, word)) == sorted(account.found(word)) == sorted([accented, plain]), word
    assert listed(account, "naive café UNICODE") == [plain, accented]


@pytest.mark.parametrize("language, content, words", [
    ("en", "She sent two résumés and a cliché about her fiancée.", ["resumes", "resume", "cliches", "fiancee", "résumé"]),
    ("pl", "Żółte łodzie płyną.", ["zolte", "łodzie", "plyna"]), ("vi", "Đường phố Hà Nội", ["duong pho", "ha noi", "đường"]),
    ("ru", "В кафе Café Müller играли на рояле.", ["cafe", "muller", "кафе"]), ("de", "Die Häuser sind schön.", ["hauser", "schon", "häuser"]),
    ("fr", "Des élèves naïfs au café.", ["eleves", "cafe", "naïf"]),
])
def test_in_every_language_a_title_and_a_content(account, language, content, words):
    by_content = account.create("0", content, language=language)["id"]
    by_title = account.create(content, "0", language=language)["id"]
    for word in words:
        assert sorted(listed(account, word)) == sorted(account.found(word)) == sorted([by_content, by_title]), word


def test_an_accent_makes_no_stop_word(account):
    """Tea isn't "the", nor "où" a word that says nothing, as long as nobody knows that the text is French."""
    document = account.create("Menu", "thé")["id"]
    assert listed(account, "thé") == account.found("thé") == [document]
    assert account.found("the") == []


def test_what_was_found_is_marked(account):
    account.create("With", f"We wrote {WRITTEN} today.")
    [result] = account.search("naive unicode")
    assert "**naïve**" in result["highlights"][0] and "**Ünïcode**" in result["highlights"][0]


@pytest.fixture
def before(stack):
    """A database of its own, in which the documents service's schema is what it was before 011_accents.sql; and the text of that file."""
    name = f"accents_{uuid.uuid4().hex}"
    with stack.primary.connect("postgres") as connection:
        connection.execute(f"CREATE DATABASE {name}")
    with stack.primary.connect(name) as connection:
        connection.execute("CREATE SCHEMA documents; SET search_path = documents, public")
        folder = f"{SERVICES}/documents/migrations"
        for path in [f"{SERVICES}/runtime/once.sql", *(f"{folder}/{file}" for file in sorted(os.listdir(folder)) if file < "011")]:
            with open(path) as file:
                connection.execute(file.read())
        with open(f"{folder}/011_accents.sql") as file:
            yield connection, file.read()
    with stack.primary.connect("postgres") as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_what_was_stored_before_accents_went_first_is_found_too(before):
    connection, migration = before
    account, ids = uuid.uuid4(), {}

    def store(name, language, chunks):
        """As documents.store() has it from the service: chunk k is of the words chunks[k], each of its own impact."""
        words = sorted({word for chunk in chunks for word in chunk.split()})
        lexemes = connection.execute("SELECT documents.lexemes(%s::text[], %s::text[])", ([language] * len(words), [word.lower() for word in words])).fetchone()[0]
        lists = {}
        for word, lexeme in zip(words, lexemes):
            lists.setdefault(lexeme, set()).update(k << 8 | 100 + k % 100 for k, chunk in enumerate(chunks) if word in chunk.split())
        lists.pop("", None)
        rows = [(lexeme, sorted(entries)[at:at + 256]) for lexeme, entries in lists.items() for at in range(0, len(entries), 256)]
        ids[name] = uuid.uuid4()
        connection.execute(
            "SELECT documents.store(%s, %s, '', 60, 'r', %s, %s, %s, '{\"{}\"}', '{\"{}\"}', %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (account, f"msg:{name}", [ids[name]], ["-"], ["\n".join(chunks)], [language], [len(chunks)], [1] * len(chunks), list(range(len(chunks))),
             [""] * len(chunks), chunks, [1] * len(rows), [lexeme for lexeme, _ in rows], ["{" + ",".join(map(str, entries)) + "}" for _, entries in rows]))

    def found(word):
        rows = connection.execute("SELECT ret_document, ret_chunk FROM documents.search(%s, '', %s, null, null, null, 1000, 3000)", (account, [word])).fetchall()
        paged = connection.execute("SELECT ret_id FROM documents.page(%s, 100, null, null, null, %s)", (account, [word])).fetchall()
        assert {document for document, _ in rows} == {document for document, in paged}
        assert len(set(rows)) == len(rows)
        return {(name, chunk) for name, id in ids.items() for document, chunk in rows if document == id}

    store("unsure", "", ["Naïve", "plain text", "naïves naive"])
    store("english", "en", ["two résumés", "one resume"])
    store("plain", "", ["naive resumes"])
    store("long", "", [f"naïve{k}x naïve" for k in range(300)])
    store("french", "fr", ["thé naïf"])
    stamp = connection.execute("SELECT documents.stamp(%s)", (account,)).fetchone()
    french = connection.execute("SELECT lexeme, chunks FROM documents.postings WHERE document_id = %s ORDER BY 1", (ids["french"],)).fetchall()
    assert ("unsure", 0) not in found("naive") and ("english", 0) not in found("resume")

    with connection.transaction():
        connection.execute(migration)
    everywhere = {("long", k) for k in range(300)}
    assert found("naive") == found("naïve") == {("unsure", 0), ("unsure", 2), ("plain", 0)} | everywhere
    assert found("resume") == found("résumés") == {("english", 0), ("english", 1), ("plain", 0)}
    assert connection.execute("SELECT max(cardinality(chunks)) FROM documents.postings").fetchone() == (256,)
    assert connection.execute("SELECT lexeme, chunks FROM documents.postings WHERE document_id = %s ORDER BY 1", (ids["french"],)).fetchall() == french
    assert connection.execute("SELECT documents.stamp(%s)", (account,)).fetchone() != stamp
