"""What a kind of file is to the importer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

MIB = 1024 * 1024
# A document's content (docs: "Limits"). What extracts may stop reading its source once it has more.
CONTENT_BYTES_MAX = 15 * MIB
TOO_MUCH_TEXT = f"more than {CONTENT_BYTES_MAX // MIB} MiB of text"


@dataclass(frozen=True)
class Extract:
    """The text of a file. `title` is None when the file names none; `encoding` when it isn't a guess."""

    content: str
    title: str | None = None
    encoding: str | None = None


@dataclass(frozen=True)
class Kind:
    """`extract` gets the file opened for bytes at its beginning, and the lower-case suffix of its name. It runs in several threads at once, gives the
    same text for the same bytes, is bounded in time and memory, and raises outcome.Failed or Skipped."""

    name: str
    suffixes: frozenset[str]
    bytes_max: int
    extract: Callable[[BinaryIO, str], Extract]
    beginnings: tuple[bytes, ...] = ()
