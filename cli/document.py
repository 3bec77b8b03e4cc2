"""What of a file becomes which field of a document."""

import hashlib
import json
import os
import stat
import unicodedata
from types import TracebackType

from cli import kinds
from cli.kinds.kind import CONTENT_BYTES_MAX, MIB, TOO_MUCH_TEXT
from cli.outcome import Failed, NotImported, Skipped
from cli.walk import Source

# The server's limits.
TITLE_CHARACTERS_MAX = 500
TAG_CHARACTERS_MAX = 64
TAGS_MAX = 32
METADATA_BYTES_MAX = 16 * 1024
BODY_BYTES_MAX = 16 * MIB


def one_line(text: str) -> str:
    return " ".join("".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text if c not in "\ufeff").split())


def title_of(found: str | None, name: str) -> str:
    """The title that the file tells; else its name without the suffix, which is never empty."""
    title = one_line(found or "") or one_line(os.path.splitext(os.path.basename(name))[0])
    return title[:TITLE_CHARACTERS_MAX].strip() or "untitled"


def tags_of(name: str) -> list[str]:
    """The folders that the file stands in."""
    folders = (one_line(part)[:TAG_CHARACTERS_MAX].strip() for part in name.split("/")[:-1])
    return list(dict.fromkeys(folder for folder in folders if folder))[:TAGS_MAX]


class Reading:
    """A file that is open, known to be regular and within its kind's size. Raises NotImported."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.guessed_encoding: str | None = None  # known after body()
        try:
            # A pipe that took the file's name since it was found makes nobody wait.
            self.file = os.fdopen(os.open(source.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
        except OSError as error:
            raise Failed("unreadable", error.strerror or "") from None
        try:
            self.kind = self._judge()
            self.before = self._state()
            self.digest = hashlib.file_digest(self.file, "sha256").hexdigest()
        except OSError as error:
            self.file.close()
            raise Failed("unreadable", error.strerror or "") from None
        except NotImported:
            self.file.close()
            raise

    def __enter__(self) -> "Reading":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.file.close()

    def _judge(self) -> kinds.Kind:
        state = os.fstat(self.file.fileno())
        if not stat.S_ISREG(state.st_mode):
            raise Skipped("no regular file", "a pipe, socket or device")
        if state.st_size == 0:
            raise Skipped("empty")
        kind = self.source.kind
        if kind is None:
            kind = kinds.by_beginning(self.file.read(kinds.SNIFFED_BYTES))
            self.file.seek(0)
        if state.st_size > kind.bytes_max:
            raise Failed("too large", f"{state.st_size / MIB:.1f} MiB; {kind.name} may have {kind.bytes_max // MIB} MiB")
        return kind

    def _state(self) -> tuple[int, int]:
        state = os.fstat(self.file.fileno())
        return state.st_size, state.st_mtime_ns

    def body(self) -> bytes:
        """The body of POST or PUT /documents: the same bytes for the same name and content of a file."""
        suffix = os.path.splitext(self.source.name)[1].lower()
        self.file.seek(0)
        try:
            extract = self.kind.extract(self.file, suffix)
        except Failed as failure:
            if failure.reason == "binary" and self.source.kind is None:
                raise Skipped(f"kind {suffix}" if suffix else "binary without a suffix") from None
            raise
        except OSError as error:
            raise Failed("unreadable", error.strerror or "") from None
        if self._state() != self.before:
            raise Failed("changes while it is read", "import again when it is whole")
        if not extract.content.strip():
            raise Skipped("empty")
        metadata = {"source": self.source.name} | ({"origin": self.source.origin} if self.source.origin else {})
        metadata |= {"sha256": self.digest, "kind": self.kind.name, "size": self.before[0]}
        self.guessed_encoding = extract.encoding
        if extract.encoding:
            metadata["encoding"] = extract.encoding
        document = {"title": title_of(extract.title, self.source.name), "content": extract.content, "tags": tags_of(self.source.name), "metadata": metadata}
        return encoded(document)


def encoded(document: dict) -> bytes:
    """Raises Failed when the server would refuse it for its size."""
    def compact(value: dict) -> bytes:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")

    if len(document["content"].encode("utf-8", "replace")) > CONTENT_BYTES_MAX:
        raise Failed(TOO_MUCH_TEXT)
    if len(compact(document["metadata"])) > METADATA_BYTES_MAX:
        raise Failed("too long a path")
    body = compact(document)
    if len(body) > BODY_BYTES_MAX:
        raise Failed("too large", f"{len(body) / MIB:.1f} MiB as JSON; a request may have {BODY_BYTES_MAX // MIB} MiB")
    return body
