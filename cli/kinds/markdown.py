"""Markdown: text whose first heading or front matter is the title."""

import re
from typing import BinaryIO

from cli.kinds.kind import CONTENT_BYTES_MAX, Extract, Kind
from cli.kinds.text import read_text

# Front matter: `---` and YAML, or `+++` and TOML, from the first line on (Jekyll, Hugo).
_FRONT_MATTER = re.compile(r"\A(---|\+\+\+)[ \t]*\n(?P<fields>.*?)^\1[ \t]*$", re.DOTALL | re.MULTILINE)
_FRONT_TITLE = re.compile(r"^title[ \t]*[:=][ \t]*(?P<title>\S.*)$", re.MULTILINE | re.IGNORECASE)
# What is looked at of a line: on a long one that was made for it the patterns below take the square or cube of its length.
_LINE_CHARACTERS_MAX = 2000
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(?P<title>.*?)(?:[ \t]+#+)?[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_LINK = re.compile(r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])")
_MARKS = re.compile(r"(`+|\*\*|__)(.+?)\1")


def _plain(title: str) -> str:
    return _MARKS.sub(r"\2", _LINK.sub(r"\1", title)).strip()


def _unquoted(title: str) -> str:
    title = title.rstrip()
    return title[1:-1] if len(title) > 2 and title[0] in "\"'" and title[-1] == title[0] else title


def _first_heading(content: str) -> str | None:
    """ATX or setext, outside of fences (CommonMark 4.2, 4.3)."""
    fence, before = None, ""
    for line in content.splitlines():
        line = line[:_LINE_CHARACTERS_MAX]
        if marks := _FENCE.match(line):
            fence = None if fence and marks[1].startswith(fence) else fence or marks[1]
            before = ""
        elif fence is None:
            heading = _HEADING.match(line)
            if heading and _plain(heading["title"]):
                return _plain(heading["title"])
            if before and _UNDERLINE.match(line) and _plain(before):
                return _plain(before)
            # An indented line is code, and a list item or a quotation has no underline.
            before = "" if heading or line.startswith(("    ", "\t")) or line.lstrip()[:1] in "-*+>|" else line
    return None


def title_of(content: str) -> str | None:
    front = _FRONT_MATTER.match(content)
    if front and (found := _FRONT_TITLE.search(front["fields"])):
        return _unquoted(found["title"])
    return _first_heading(content[front.end():] if front else content)


def _extract(file: BinaryIO, suffix: str) -> Extract:
    content, encoding = read_text(file)
    return Extract(content, title_of(content), encoding)


KIND = Kind("markdown", frozenset({".md", ".markdown", ".mdown", ".mkd"}), CONTENT_BYTES_MAX, _extract)
