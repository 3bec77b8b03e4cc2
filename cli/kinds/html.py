"""HTML as a reader sees it: headings as Markdown's, so that passages know what they stand under; without scripts, styles and navigation."""

import codecs
import re
import time
from typing import BinaryIO

from lxml import etree

from cli.kinds.kind import MIB, Extract, Kind
from cli.kinds.text import guessed_encoding, marked_encoding
from cli.outcome import Failed

FILE_BYTES_MAX = 32 * MIB
SECONDS_MAX = 60
_FED_BYTES = 256 * 1024
_LOOKED_EVERY = 4096  # elements, for the time
# Where a page declares its encoding at the latest (HTML Standard, 4.2.5.4).
_DECLARED_WITHIN = 1024
_DECLARED = re.compile(rb"<(?:meta[^>]*\bcharset|\?xml[^>]*\bencoding)\s*=\s*[\"']?\s*([\w.:\-]+)", re.IGNORECASE)
# Labels that the Encoding Standard reads as their supersets.
_SUPERSETS = {"ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932",
              "euc_kr": "cp949", "utf-16": "utf-8", "utf-16-le": "utf-8", "utf-16-be": "utf-8"}
_UNSEEN = frozenset("head script style noscript template nav svg button select textarea iframe object audio video canvas dialog".split())
_UNSEEN_ROLES = frozenset(("navigation", "search", "menu", "menubar", "toolbar"))
_HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
_BLOCKS = frozenset("""address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer header hr html legend li main ol
    p pre section summary table tbody td tfoot th thead tr ul caption""".split()) | _HEADINGS.keys()
_PARAGRAPHS = frozenset("p blockquote pre ul ol dl table section article figure".split()) | _HEADINGS.keys()
_LEADS = {"li": "- ", **_HEADINGS}


def told_encoding(raw: bytes) -> str | None:
    """Byte order mark, then declaration, in the order of the HTML Standard, 13.2.3.2."""
    if marked := marked_encoding(raw):
        return marked[0]
    if declared := _DECLARED.search(raw[:_DECLARED_WITHIN]):
        try:
            name = codecs.lookup(declared[1].decode("ascii")).name
            "".encode(name)  # not one of Python's codecs that make no text
            return _SUPERSETS.get(name, name)
        except (LookupError, UnicodeError):
            pass
    return None


class _Writer:
    """Puts inline text together and begins lines where blocks begin and end."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.lead = ""  # "# " or "- ", until its text comes
        self.space = False  # white space was read, and counts if text follows
        self.line_empty = True

    def text(self, text: str | None, verbatim: bool) -> None:
        if not text:
            return
        if verbatim:
            self._write(text)
            self.line_empty, self.space = text.endswith("\n"), False
            return
        words = text.split()
        if not words:
            self.space = True
            return
        if (self.space or text[0].isspace()) and not self.line_empty:
            self.pieces.append(" ")
        self._write(" ".join(words))
        self.line_empty, self.space = False, text[-1].isspace()

    def _write(self, text: str) -> None:
        self.pieces.append(self.lead + text)
        self.lead = ""

    def line_break(self, blank: bool = False) -> None:
        if not self.line_empty or blank:
            self.pieces.append("\n")
        if blank and not self.line_empty:
            self.pieces.append("\n")
        self.line_empty, self.space = True, False

    def result(self) -> str:
        lines = "\n".join(line.rstrip() for line in "".join(self.pieces).split("\n"))
        return re.sub(r"\n{3,}", "\n\n", lines).strip("\n")


class _Clock:
    """A page that is nested without end takes longer with every level."""

    def __init__(self) -> None:
        self.ends = time.monotonic() + SECONDS_MAX

    def check(self) -> None:
        if time.monotonic() > self.ends:
            raise Failed("too slow an HTML page", f"more than {SECONDS_MAX} s")


def _unseen(element: etree._Element) -> bool:
    return (element.tag in _UNSEEN or element.get("hidden") is not None or element.get("role", "").lower() in _UNSEEN_ROLES
            or "headerlink" in element.get("class", "").split())


def _text_of(top: etree._Element, clock: _Clock) -> str:
    """Depth first without recursion: a page may be nested as deep as it likes."""
    writer, verbatim = _Writer(), 0
    walk = etree.iterwalk(top, events=("start", "end", "comment", "pi"))
    for count, (event, element) in enumerate(walk):
        if count % _LOOKED_EVERY == 0:
            clock.check()
        if event in ("comment", "pi"):
            writer.text(element.tail, verbatim > 0)
        elif event == "start":
            if _unseen(element):
                walk.skip_subtree()
                continue
            if element.tag == "br":
                writer.line_break()
            elif element.tag in ("td", "th") and not writer.line_empty:
                writer.text(" | ", False)
            elif element.tag in _BLOCKS:
                writer.line_break(blank=element.tag in _PARAGRAPHS)
                writer.lead = _LEADS.get(element.tag, writer.lead)
            verbatim += element.tag == "pre"
            writer.text(element.text, verbatim > 0)
        else:
            if not _unseen(element):
                verbatim -= element.tag == "pre"
                if element.tag in _HEADINGS:
                    writer.lead = ""
                if element.tag in _BLOCKS and element.tag not in ("td", "th"):
                    writer.line_break(blank=element.tag in _PARAGRAPHS)
            if element is not top:
                writer.text(element.tail, verbatim > 0)
    return writer.result()


def _title(page: etree._Element) -> str | None:
    """<title>, which names the page in its site; else the first <h1>."""
    for path in (".//head//title", ".//h1"):
        for element in page.iterfind(path):
            if title := " ".join("".join(element.itertext()).split()).rstrip(" ¶"):
                return title
    return None


def _content(page: etree._Element, clock: _Clock) -> str:
    """What the page calls its main part, if that has text; else all of it."""
    for path in (".//main", ".//*[@role='main']"):
        main = page.find(path)
        if main is not None and (content := _text_of(main, clock)):
            return content
    return _text_of(page, clock)


def _parsed(text: str, clock: _Clock) -> etree._Element | None:
    """None for a page without an element. As UTF-8, because libxml2 would believe a declaration inside a string; huge_tree, because a paragraph may have
    more than 10 MB; recover, which is its default, makes something of everything."""
    parser, raw = etree.HTMLParser(encoding="utf-8", huge_tree=True, no_network=True), memoryview(text.encode("utf-8", "replace"))
    try:
        for at in range(0, len(raw), _FED_BYTES):
            parser.feed(bytes(raw[at:at + _FED_BYTES]))
            clock.check()
        return parser.close()
    except etree.LxmlError:
        return None


def _extract(file: BinaryIO, suffix: str) -> Extract:
    raw, clock = file.read(), _Clock()
    told = told_encoding(raw)
    encoding = told or guessed_encoding(raw)
    text = raw.decode(encoding, errors="replace").removeprefix("\ufeff").replace("\0", "")
    page = _parsed(text, clock)
    if page is None or not (content := _content(page, clock)):
        raise Failed("no text in it", "scripts, styles and navigation don't count")
    return Extract(content + "\n", _title(page), "windows-1252" if told is None and encoding == "cp1252" else None)


KIND = Kind("html", frozenset({".html", ".htm", ".xhtml"}), FILE_BYTES_MAX, _extract, beginnings=(b"<!doctype html", b"<html", b"<?xml version"))
