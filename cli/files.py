"""Which files become documents, and what of a file becomes which field."""

import hashlib
import pathlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

CONTENT_BYTES_MAX = 15 * 1024 * 1024
TITLE_CHARACTERS_MAX = 500
TAG_CHARACTERS_MAX = 64
TAGS_MAX = 32
MARKDOWN = {".md", ".markdown"}
TEXT = {".txt", ".text", ".rst", ".org", ".adoc", ""}
HEADING = re.compile(r"^#\s+(.+?)\s*#*\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Source:
    """A file and the name that it has in the library: its path from the folder that was named."""

    path: pathlib.Path
    name: str


class Skipped(Exception):
    """A file that can't become a document; the text says why."""


def walk(root: pathlib.Path) -> Iterator[Source]:
    """Files below root in a stable order; hidden ones are passed over. A file that was named itself comes whatever its suffix is."""
    if root.is_file():
        yield Source(root, root.name)
        return
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root)
        if path.is_file() and not any(part.startswith(".") for part in inside.parts):
            yield Source(path, str(pathlib.Path(root.name) / inside))


def read_document(source: Source) -> dict:
    """The body of POST /documents. Raises Skipped."""
    if source.path.suffix.lower() not in MARKDOWN | TEXT:
        raise Skipped(f"kind {source.path.suffix or 'without suffix'} is not text or Markdown")
    try:
        if source.path.stat().st_size > CONTENT_BYTES_MAX:
            raise Skipped("larger than 15 MiB")
        content = source.path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Skipped("not UTF-8 text") from None
    except OSError as error:
        raise Skipped(error.strerror or "unreadable") from None
    if "\0" in content:
        raise Skipped("binary")
    if not content.strip():
        raise Skipped("empty")
    return {
        "title": title_of(source, content),
        "content": content,
        "tags": tags_of(source),
        "metadata": {"source": source.name, "sha256": hashlib.sha256(content.encode()).hexdigest()},
    }


def title_of(source: Source, content: str) -> str:
    heading = HEADING.search(content) if source.path.suffix.lower() in MARKDOWN else None
    title = heading.group(1) if heading else source.path.stem
    return title[:TITLE_CHARACTERS_MAX] or source.name[:TITLE_CHARACTERS_MAX]


def tags_of(source: Source) -> list[str]:
    """The folders that the file stands in."""
    folders = dict.fromkeys(part[:TAG_CHARACTERS_MAX] for part in pathlib.PurePath(source.name).parts[:-1])
    return list(folders)[:TAGS_MAX]
