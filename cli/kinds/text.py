"""Plain text, and the encodings that it comes in."""

import codecs
import re
import string
from typing import BinaryIO

from cli.kinds.kind import CONTENT_BYTES_MAX, Extract, Kind
from cli.outcome import Failed

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Controls that no text has; escape is left out, as logs have colours.
_BINARY = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f]")
# In a western European text few letters have accents; more than this is another alphabet, and reading it as Windows-1252 would be noise.
_ACCENTED_SHARE_MAX = 0.2
_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")
_ASCII = bytes(range(0x80))
_NO_ASCII_LETTERS = bytes(set(range(0x100)) - set(string.ascii_letters.encode()))
# Empty lines, each in one way only: (?:\s*\n)* would divide them up in 2^n ways before it gives up.
_EMPTY_LINES = r"(?:[^\S\n]*\n)*"
_TITLES = {
    # A title over or between lines of one character, as docutils has it.
    ".rst": re.compile(r"\A" + _EMPTY_LINES + r"(?:([=\-~#*^+\"'`])\1{2,}[ \t]*\n)?[ \t]*(?P<title>\S.*)\n([=\-~#*^+\"'`])\3{2,}[ \t]*$", re.MULTILINE),
    ".adoc": re.compile(r"\A" + _EMPTY_LINES + r"=[ \t]+(?P<title>\S.*)$", re.MULTILINE),
    ".org": re.compile(r"^#\+title:[ \t]*(?P<title>\S.*)$", re.MULTILINE | re.IGNORECASE),
}


def marked_encoding(raw: bytes) -> tuple[str, int] | None:
    """Encoding and length of the byte order mark."""
    return next(((encoding, len(mark)) for mark, encoding in _MARKS if raw.startswith(mark)), None)


def decode(raw: bytes) -> tuple[str, str | None]:
    """The text and, if it was a guess, the encoding. Raises Failed."""
    if marked := marked_encoding(raw):
        encoding, skip = marked
        try:
            return raw[skip:].decode(encoding), None
        except UnicodeDecodeError as error:
            raise Failed("broken text", f"marked as {encoding.upper()}, but not so at byte {error.start + skip}") from None
    if b"\0" in raw:
        raise Failed("binary", "or UTF-16 without a byte order mark")
    try:
        return raw.decode("utf-8"), None
    except UnicodeDecodeError as error:
        at = error.start
    if _BINARY.search(raw):
        raise Failed("binary")
    if _is_mostly_utf8(raw):
        # As Windows-1252 the whole text would be noise for the sake of one byte.
        raise Failed("broken text", f"not valid UTF-8 at byte {at}; iconv -c -f UTF-8 -t UTF-8 FILE leaves out what is wrong")
    accented = len(raw.translate(None, _ASCII))
    letters = accented + len(raw.translate(None, _NO_ASCII_LETTERS))
    try:
        if accented <= letters * _ACCENTED_SHARE_MAX:
            return raw.decode("cp1252"), "windows-1252"
    except UnicodeDecodeError:
        pass
    raise Failed("unknown encoding", f"not UTF-8 at byte {at}; iconv -f ENCODING -t UTF-8 FILE makes it so")


def _is_mostly_utf8(raw: bytes) -> bool:
    """Whether bytes beyond ASCII follow the rules of UTF-8 (RFC 3629) as often as they break them. In Windows-1252 they hardly ever do: it takes letters
    like Ã and signs like ¤ side by side."""
    valid = len(_SEQUENCE.findall(raw))
    return valid > 0 and valid >= len(_BEYOND_ASCII.findall(_SEQUENCE.sub(b" ", raw)))


def guessed_encoding(raw: bytes) -> str:
    """Of text without a mark or declaration."""
    try:
        raw.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError:
        return "utf-8" if _is_mostly_utf8(raw) else "cp1252"


def read_text(file: BinaryIO) -> tuple[str, str | None]:
    """All of the file, decoded, with plain line ends."""
    content, encoding = decode(file.read())
    return content.replace("\r\n", "\n").replace("\r", "\n"), encoding


def _extract(file: BinaryIO, suffix: str) -> Extract:
    content, encoding = read_text(file)
    found = _TITLES[suffix].search(content) if suffix in _TITLES else None
    return Extract(content, found["title"] if found else None, encoding)


KIND = Kind("text", frozenset({".txt", ".text", ".rst", ".org", ".adoc"}), CONTENT_BYTES_MAX, _extract)
