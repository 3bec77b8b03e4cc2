"""What the account holds of earlier imports, and how a file gets there exactly once.

The server's list is the only record: there is no state on this machine that could be lost, be of another account, or outlive the documents. A document
belongs to the file that its metadata names (`source`, with the `sha256` of the file's bytes). What makes each write happen once:

- Its idempotency key is made of the whole request, so whoever sends it again, this import or another at the same time, has no second effect.
- A key is kept for a day and gets its first answer whatever happened since: a file whose document was deleted meanwhile would only seem to be
  entered. So after the writes the list is read again (settle), and what is missing is entered under a key that names the lost document.
- An import that ran beside this one and read another version of a file has made a second document: settle keeps the oldest, as the other does.

Two folders may have files of the same names. `origin` in the metadata is the folder in which the name begins, so a document is changed and pruned only
by the folder that it came from, unless `take_over` says that the folder has moved. A document without one, of an older import, becomes the first's who
imports its file."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from cli.connection import Connection
from cli.document import Reading
from cli.outcome import Failed, Stop
from cli.walk import Place, Source

_PAGE_MAX = 100
# How often a file may find its document changed or deleted by somebody else before it is given up.
_ROUNDS_MAX = 16


@dataclass(frozen=True, order=True)
class Held:
    """A document of a file. Ids are UUIDv7, so the smallest is the oldest."""

    id: str
    digest: str
    origin: str = ""

    def is_like(self, other: "Held") -> bool:
        return (self.digest, self.origin) == (other.digest, other.origin)


def _text(metadata: dict, field: str) -> str:
    """'' for what is missing or no text: others may write metadata too."""
    value = metadata.get(field)
    return value if isinstance(value, str) else ""


def held_of(item: dict) -> Held:
    return Held(item["id"], _text(item["metadata"], "sha256"), _text(item["metadata"], "origin"))


def key_of(method: str, path: str, body: bytes, context: str = "") -> str:
    return hashlib.sha256(b"\0".join((method.encode(), path.encode(), context.encode(), body))).hexdigest()


def _page(answer: httpx.Response) -> dict:
    try:
        page = answer.json()
        if isinstance(page, dict) and isinstance(page.get("items"), list):
            return page
    except ValueError:
        pass
    raise Stop(f"{answer.url} answers, but not as Quire does.")


class Library:
    """enter() may be called by several threads, for different sources."""

    def __init__(self, connection: Connection, dry_run: bool = False, take_over: bool = False) -> None:
        self.connection, self.dry_run, self.take_over = connection, dry_run, take_over
        self.by_source: dict[str, list[Held]] = {}
        self._entered: dict[str, Held] = {}  # by this import
        self.guessed: dict[str, str] = {}  # the encodings of those that don't tell it
        self._lock = threading.Lock()

    def load(self, on_page: Callable[[int], None] = lambda count: None) -> None:
        """Reads the list, newest first, however long it is; on_page gets how many were read."""
        by_source, cursor, count = {}, "", 0
        while cursor is not None:
            page = _page(self.connection.ask("GET", f"/documents?limit={_PAGE_MAX}&cursor={cursor}"))
            for item in page["items"]:
                source, held = _text(item["metadata"], "source"), held_of(item)
                if source and held.digest:
                    by_source.setdefault(source, []).append(held)
            cursor, count = page["next_cursor"], count + len(page["items"])
            on_page(count)
        self.by_source = {source: sorted(held) for source, held in by_source.items()}

    def enter(self, source: Source) -> str:
        """Adds or updates the document of a file, or leaves it as it is; says which. Raises NotImported and Stop."""
        with Reading(source) as reading:
            held = next(iter(self.by_source.get(source.name, ())), None)
            if held and held.digest == reading.digest and (held.origin == source.origin or self._is_anothers(held, source)):
                return "unchanged"
            if held:
                self._refuse_anothers(held, source)
            body, wanted = reading.body(), Held("", reading.digest, source.origin)
        if reading.guessed_encoding:
            with self._lock:
                self.guessed[source.name] = reading.guessed_encoding
        if not self.dry_run:
            document = self._update(held.id, wanted, body) if held else self._create(body)
            with self._lock:
                self._entered[source.name] = Held(document, wanted.digest, wanted.origin)
        return "updated" if held else "added"

    def _is_anothers(self, held: Held, source: Source) -> bool:
        return held.origin not in ("", source.origin) and not self.take_over

    def _refuse_anothers(self, held: Held, source: Source) -> None:
        if self._is_anothers(held, source):
            raise Failed("another folder's", f"the document is of {held.origin}; --take-over if that has moved, else import from a folder above both")

    def _create(self, body: bytes, instead_of: str = "") -> str:
        key = key_of("POST", "/documents", body, instead_of)
        return self.connection.ask("POST", "/documents", body=body, key=key).json()["id"]

    def _create_again(self, body: bytes, lost: str) -> str:
        """A document in place of one that was deleted. Each key in turn gives the document that took the lost one's place, until one is there."""
        for _ in range(_ROUNDS_MAX):
            lost = self._create(body, instead_of=lost)
            if self._version(lost) is not None:
                return lost
        raise Failed("deleted as often as it is entered", "try again tomorrow, or change the file")

    def _version(self, document: str) -> str | None:
        """The ETag; None when there is no such document."""
        answer = self.connection.ask("HEAD", f"/documents/{document}", allowed=(404,))
        return answer.headers["etag"] if answer.is_success else None

    def _update(self, document: str, wanted: Held, body: bytes) -> str:
        path = f"/documents/{document}"
        for _ in range(_ROUNDS_MAX):
            if (version := self._version(document)) is None:
                return self._create_again(body, document)
            answer = self.connection.ask("PUT", path, body=body, key=key_of("PUT", path, body, version), if_match=version, allowed=(404, 412))
            if answer.is_success:
                return document
            now = self.connection.ask("GET", path, allowed=(404,))
            if now.is_success and held_of(now.json()).is_like(wanted):
                return document  # another import was quicker
        raise Failed("changed by others all the time", "import again when it rests")

    def settle(self, sources: dict[str, Source]) -> list[tuple[str, Exception]]:
        """Each file of this import has exactly one document when this returns; what could not be mended is the answer. Costs a reading of the list
        if something was entered or was there twice, and nothing otherwise."""
        doubled = any(len(self.by_source.get(name, ())) > 1 for name in sources)
        if self.dry_run or not (self._entered or doubled):
            return []
        self.load()
        faults = []
        for name in sources:
            held = self.by_source.get(name, [])
            if (entered := self._entered.get(name)) is None and len(held) < 2 or held == [entered]:
                continue
            try:
                self._mend(sources[name], held, entered)
            except Failed as failure:
                faults.append((name, failure))
        return faults

    def _mend(self, source: Source, held: list[Held], entered: Held | None) -> None:
        if not held and self._version(entered.id) is None:
            with Reading(source) as reading:
                body = reading.body()
            self._create_again(body, entered.id)
        elif held and entered and not held[0].is_like(entered):
            self._refuse_anothers(held[0], source)
            with Reading(source) as reading:
                body, wanted = reading.body(), Held("", reading.digest, source.origin)
            self._update(held[0].id, wanted, body)
        for younger in held[1:]:
            self.delete(younger.id)

    def delete(self, document: str) -> None:
        self.connection.ask("DELETE", f"/documents/{document}", allowed=(404,))

    def missing(self, folder: Place, blind: list[Place], present: set[str]) -> tuple[list[tuple[str, Held]], int]:
        """Documents of the named folder whose file is not there, but none below a folder that was not looked into; and how many more have no origin."""
        dark = tuple(place.name for place in blind)
        below = [(name, document) for name, held in sorted(self.by_source.items()) for document in held
                 if name not in present and name.startswith(folder.name) and not name.startswith(dark)]
        mine = [(name, document) for name, document in below if self.take_over or document.origin == folder.origin]
        return mine, 0 if self.take_over else sum(not document.origin for _, document in below)
