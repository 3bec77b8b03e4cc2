"""The kinds of files that become documents. Another kind is a file like pdf.py, which makes its row of `ALL`, and its line here."""

import pathlib

from cli.kinds import html, markdown, pdf, text
from cli.kinds.kind import Extract, Kind

ALL: tuple[Kind, ...] = (markdown.KIND, html.KIND, pdf.KIND, text.KIND)
SNIFFED_BYTES = 1024
_BY_SUFFIX = {suffix: kind for kind in ALL for suffix in kind.suffixes}

__all__ = ["ALL", "SNIFFED_BYTES", "Extract", "Kind", "by_beginning", "by_suffix"]


def by_suffix(name: str) -> Kind | None:
    """The kind that the name tells; None for an unknown suffix or none."""
    return _BY_SUFFIX.get(pathlib.PurePath(name).suffix.lower())


def by_beginning(beginning: bytes) -> Kind:
    """For files whose name tells nothing: text unless the first bytes say otherwise."""
    start = beginning.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return next((kind for kind in ALL if start.startswith(kind.beginnings or (b"\0",))), text.KIND)
