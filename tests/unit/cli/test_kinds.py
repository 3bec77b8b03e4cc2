"""What is read out of a file of each kind, and which files are refused with which words."""

import codecs
import io
import tempfile

import pytest

from cli import kinds
from cli.kinds import html, markdown, pdf, text
from cli.outcome import Failed
from made_pdf import pdf as made_pdf


def extract(kind, raw, suffix=""):
    if kind is pdf.KIND:  # poppler reads it by its descriptor
        with tempfile.TemporaryFile() as file:
            file.write(raw)
            file.seek(0)
            return kind.extract(file, suffix)
    return kind.extract(io.BytesIO(raw), suffix)


def refusal(kind, raw):
    with pytest.raises(Failed) as failed:
        extract(kind, raw)
    return failed.value.reason


@pytest.mark.parametrize("raw", ["The keeper Zoë trägt Öl\n".encode(encoding) for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1", "cp1252")]
                         + [codecs.BOM_UTF16_BE + "The keeper Zoë trägt Öl\n".encode("utf-16-be"), "The keeper Zoë trägt Öl\r\n".encode()])
def test_text_comes_in_many_encodings(raw):
    assert extract(text.KIND, raw).content == "The keeper Zoë trägt Öl\n"


def test_one_bad_byte_is_told_with_its_place_and_a_cure():
    """Read as Windows-1252 the whole text would be noise that nobody is told of."""
    with pytest.raises(Failed) as failed:
        extract(text.KIND, "Öl für ".encode() + b"\xff")
    assert failed.value.detail.startswith("not valid UTF-8 at byte 9; iconv -c -f UTF-8 -t UTF-8 ")
    with pytest.raises(Failed) as failed:
        extract(text.KIND, "Смотритель маяка".encode("koi8-r"))
    assert "iconv -f " in failed.value.detail
    assert extract(html.KIND, "<p>Öl für den Turm".encode() + b"\xff").content == "Öl für den Turm\ufffd\n"


def test_a_guessed_encoding_is_told_and_others_are_not():
    assert extract(text.KIND, "Öl für den Leuchtturm".encode("latin-1")).encoding == "windows-1252"
    assert extract(text.KIND, "Öl".encode()).encoding is None
    assert extract(html.KIND, "<p>Öl".encode("latin-1")).encoding == "windows-1252"
    assert extract(html.KIND, b"<meta charset=latin1><p>" + "Öl".encode("latin-1")).encoding is None


@pytest.mark.parametrize("raw, reason", [
    (b"\x7fELF\x02\x01\x01\0\0\0", "binary"),
    (b"text and \xff\xfe\x01\x02 noise \xe9", "binary"),
    ("Смотритель маяка зажигает лампу".encode("koi8-r"), "unknown encoding"),
    ("灯台守は夕方にランプを手入れする".encode("shift_jis"), "unknown encoding"),
    (codecs.BOM_UTF16_LE + b"a", "broken text"),
    ("Öl für den Leuchtturm ".encode() + b"\xe9", "broken text"),
    ("Zoë".encode() + b" na\xefve", "broken text"),
    ("灯台守は夕方に".encode()[:-1], "broken text"),
    ("text".encode("utf-16-le"), "binary"),
])
def test_what_is_no_text_is_refused_in_words(raw, reason):
    assert refusal(text.KIND, raw) == reason


@pytest.mark.parametrize("content, title", [
    ("# The lamp\n\nText", "The lamp"),
    ("Text first\n\n## The *second* `lamp` ##\n", "The *second* lamp"),
    ("The lamp\n========\n", "The lamp"),
    ("---\ntitle: \"Of lamps: a study\"\ntags: [a]\n---\n# Not this\n", "Of lamps: a study"),
    ("+++\ntitle = 'Lamps'\n+++\n# Not this\n", "Lamps"),
    ("---\ntitle: \"Lamps\" and 'wicks' \n---\n", "\"Lamps\" and 'wicks'"),
    ("---\nlayout: post\n---\n\n# This\n", "This"),
    ("```sh\n# a comment\n```\n# The lamp\n", "The lamp"),
    ("    # code\n\n# [The lamp](https://example.org)\n", "The lamp"),
    ("- an item\n---\ntext\n", None),
    ("no heading\n", None),
    ("#hashtag\n", None),
])
def test_markdown_titles(content, title):
    assert extract(markdown.KIND, content.encode()).title == title


@pytest.mark.parametrize("suffix, content, title", [
    (".rst", "========\nThe lamp\n========\n\nText", "The lamp"),
    (".rst", "The lamp\n--------\n", "The lamp"),
    (".rst", "\n \t\n\n  The lamp\n----------\n", "The lamp"),
    (".rst", "Text without\na heading\n", None),
    (".adoc", "= The lamp\n\ntext", "The lamp"),
    (".org", "#+AUTHOR: A\n#+TITLE: The lamp\n", "The lamp"),
    (".txt", "The lamp\n========\n", None),
])
def test_titles_of_other_markups(suffix, content, title):
    assert extract(text.KIND, content.encode(), suffix).title == title


@pytest.mark.parametrize("kind, suffix, content", [
    (text.KIND, ".rst", "\n" * 100_000 + "text\n"),
    (text.KIND, ".rst", (" " * 50 + "\n") * 10_000 + "===\n"),
    (text.KIND, ".adoc", "\n" * 100_000 + "text\n"),
    (markdown.KIND, ".md", "# The lamp" + " " * 100_000 + "x\n"),
    (markdown.KIND, ".md", "a" + "`" * 20_000 + "\n====\n"),
    (markdown.KIND, ".md", "---\ntitle: The lamp" + " " * 100_000 + "x\n---\n"),
])
@pytest.mark.timeout(20, method="thread")  # a signal would not be heard
def test_no_file_makes_the_search_for_its_title_endless(kind, suffix, content):
    """A pattern that tries again and again holds the interpreter: even Ctrl-C would wait for it."""
    extract(kind, content.encode(), suffix)


PAGE = """<!DOCTYPE html><html><head><title>The lamp — Manual</title><style>p { color: red }</style><script>let x = "<p>no</p>"</script></head>
<body><nav><a href="/">Home</a></nav><div role="navigation">Elsewhere</div>
<h1>The lamp<a class="headerlink" href="#l">¶</a></h1><p>The keeper <b>trims</b> the wick&nbsp;&amp; lights it,<br>at dusk.</p>
<ul><li>oil<li>wick</ul><table><tr><th>hour<th>light<tr><td>six<td>on</table>
<pre>first
  second</pre><h2>At dawn</h2>It <!-- really --> goes out.<noscript>no</noscript><p hidden>secret</p></body></html>"""


def test_html_is_read_as_a_reader_sees_it():
    found = extract(html.KIND, PAGE.encode())
    assert found.title == "The lamp — Manual"
    assert found.content == ("# The lamp\n\nThe keeper trims the wick & lights it,\nat dusk.\n\n- oil\n- wick\n\nhour | light\nsix | on\n\nfirst\n  second\n\n"
                             "## At dawn\n\nIt goes out.\n")


def test_html_without_title_is_called_by_its_heading():
    assert extract(html.KIND, b"<h1>The <i>lamp</i></h1>text").title == "The lamp"


def test_of_a_page_with_a_main_part_only_that_is_read():
    assert extract(html.KIND, b"<header>Shop</header><main><p>The lamp</main><footer>Imprint</footer>").content == "The lamp\n"


@pytest.mark.parametrize("raw", [
    "<p>Öl</p>".encode(),
    "<p>Öl</p>".encode("latin-1"),
    b'<meta charset="iso-8859-1"><p>' + "Öl".encode("latin-1"),
    b'<meta http-equiv="Content-Type" content="text/html; charset=utf-8"><p>' + "Öl".encode(),
    '<?xml version="1.0" encoding="UTF-8"?><html><p>Öl</p></html>'.encode(),
    "<p>Öl</p>".encode("utf-16"),
    b'<meta charset="no-such-thing"><p>' + "Öl".encode(),
    b'<meta charset="rot13"><p>' + "Öl".encode(),
    b"<p>&Ouml;l",
])
def test_html_encodings(raw):
    assert extract(html.KIND, raw).content == "Öl\n"


def test_html_in_koi8_is_read_as_it_declares():
    assert extract(html.KIND, b"<meta charset=koi8-r><p>" + "маяк".encode("koi8-r")).content == "маяк\n"


def test_deep_and_long_html_breaks_nothing():
    """A recursive reader would die of the first; libxml2 with its usual limits loses the second."""
    assert extract(html.KIND, b"<div>" * 5_000 + b"deep").content == "deep\n"
    assert len(extract(html.KIND, b"<p>" + b"long " * 2_200_000).content) > 10_900_000


def test_no_letter_is_lost_where_html_is_fed_in_pieces():
    content = "<p>" + "灯台守" * 100_000
    assert extract(html.KIND, content.encode()).content == content[3:] + "\n"


def test_html_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(html, "SECONDS_MAX", -1)
    assert refusal(html.KIND, b"<p>text") == "too slow an HTML page"


@pytest.mark.parametrize("raw", [b"<script>x</script>", b"<nav>Home</nav>", b"<html></html>", b"<!-- -->"])
def test_html_without_text_is_refused(raw):
    assert refusal(html.KIND, raw) == "no text in it"


def test_pdf_text_and_title():
    found = extract(pdf.KIND, made_pdf("The keeper trims the lamp", title="The lamp"))
    assert (found.content, found.title) == ("The keeper trims the lamp\n", "The lamp")


@pytest.mark.parametrize("title", [None, "Untitled", "Microsoft Word - lamp.doc", "lamp.dvi"])
def test_a_pdf_title_that_nobody_wrote_is_none(title):
    assert extract(pdf.KIND, made_pdf("text", title=title)).title is None


@pytest.mark.parametrize("raw, reason", [
    (made_pdf("text", encrypted=True), "encrypted PDF"),
    (made_pdf(""), "no text in it"),
    (made_pdf("text")[:300], "broken PDF"),
    (b"%PDF-1.7\n", "broken PDF"),
    (b"no PDF at all", "broken PDF"),
], ids=["encrypted", "picture", "cut", "beginning only", "text"])
def test_pdfs_without_text_are_refused_in_words(raw, reason):
    assert refusal(pdf.KIND, raw) == reason


def test_a_pdf_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(pdf, "SECONDS_MAX", 0.0)
    assert refusal(pdf.KIND, made_pdf("text")) == "too slow a PDF"


def test_a_pdf_with_too_much_text_is_refused(monkeypatch):
    monkeypatch.setattr(pdf, "CONTENT_BYTES_MAX", 10)
    assert "of text" in refusal(pdf.KIND, made_pdf("more than ten letters"))


@pytest.mark.parametrize("beginning, kind", [(b"%PDF-1.4", pdf.KIND), (b"\n <!DOCTYPE HTML>", html.KIND), (b"<html lang", html.KIND), (b"text", text.KIND),
                                             (b"", text.KIND), (b"\x7fELF", text.KIND)])
def test_a_file_whose_name_tells_nothing_is_known_by_its_beginning(beginning, kind):
    assert kinds.by_beginning(beginning) is kind


def test_no_suffix_is_two_kinds():
    suffixes = [suffix for kind in kinds.ALL for suffix in kind.suffixes]
    assert len(suffixes) == len(set(suffixes)) and all(suffix == suffix.lower() and suffix.startswith(".") for suffix in suffixes)
