"""Which files are meant by the paths that were named, and what each is called in the library."""

import glob
import os
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from cli import kinds
from cli.outcome import Failed, NotImported, Skipped

_GLOB = frozenset("*?[")


@dataclass(frozen=True)
class Source:
    """A file to read. `name` is what the library knows it by: the path below the folder that import was started in, or else from the named folder on.
    `kind` is None when the name doesn't tell."""

    path: str
    name: str
    kind: kinds.Kind | None
    size: int


@dataclass
class Found:
    """`prefixes` are the names of the named folders, each with a slash at its end; `blind` those of folders that could not be read."""

    sources: list[Source] = field(default_factory=list)
    left_out: list[tuple[str, NotImported]] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    blind: list[str] = field(default_factory=list)


class NoSuchPath(Exception):
    pass


def spelled(name: str) -> str:
    """The name as text: bytes that are no UTF-8 as \\xff, letters composed (NFC), so that the same file has the same name on every machine."""
    return unicodedata.normalize("NFC", os.fsencode(name).decode("utf-8", "backslashreplace"))


def name_of(path: str, folder: str) -> str:
    """What the absolute `path` is called when import was started in `folder`. Never '' for a folder other than the root: what is pruned has a name."""
    below = path.removeprefix(folder.rstrip("/") + "/")
    return spelled(below if below != path else os.path.basename(path))


def find(paths: list[str], folder: str, root: str = "") -> Found:
    """All files below the paths, each once, in a stable order. `folder` is where the paths start, absolute; `root` where the file system that they speak
    of is mounted. Raises NoSuchPath."""
    found, seen, named = Found(), set(), {}
    for typed in paths:
        for path, is_named in _expanded(os.path.normpath(os.path.join(folder, typed)), root, typed):
            for source in _below(path, root, name_of(path, folder), is_named, found):
                if source.path in seen:
                    continue
                seen.add(source.path)
                if source.name in named:
                    found.left_out.append((source.name, Failed("another file of the same name", "import both from a folder above them")))
                    continue
                named[source.name] = source
                found.sources.append(source)
    found.sources.sort(key=lambda source: source.name)
    return found


def _expanded(path: str, root: str, typed: str) -> Iterator[tuple[str, bool]]:
    """The path itself, or what it matches as a pattern (** is any depth); with it whether somebody has named it."""
    if os.path.lexists(root + path):
        yield path, True
        return
    matches = sorted(glob.iglob(glob.escape(root) + path, recursive=True)) if _GLOB & set(path) else []
    if not matches:
        raise NoSuchPath(f"{spelled(typed)}: there is no such file or folder")
    for match in matches:
        yield os.path.normpath(match.removeprefix(root)), False


def _below(path: str, root: str, name: str, is_named: bool, found: Found) -> Iterator[Source]:
    """A file that was named comes whatever it is called; so does a folder, and a link to one is followed if it was named."""
    if not os.path.isdir(root + path):
        yield from _file(root + path, name, is_named, found)
        return
    prefix = f"{name}/" if name else ""
    found.prefixes.append(prefix)
    waiting = [(root + path, prefix)]
    while waiting:
        where, prefix = waiting.pop()
        try:
            with os.scandir(where) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            found.left_out.append((prefix, Failed("unreadable folder", error.strerror or "")))
            found.blind.append(prefix)
            continue
        for entry in listed:
            name = prefix + spelled(entry.name)
            if entry.name.startswith("."):
                found.left_out.append((name, Skipped("hidden")))
            elif entry.is_dir(follow_symlinks=False):
                waiting.append((entry.path, name + "/"))
            else:
                yield from _file(entry.path, name, False, found)


def _file(path: str, name: str, is_named: bool, found: Found) -> Iterator[Source]:
    try:
        state = os.stat(path)
    except OSError as error:
        is_link = os.path.islink(path)
        found.left_out.append((name, Failed("broken link" if is_link else "unreadable", error.strerror or "")))
        return
    if stat.S_ISDIR(state.st_mode):
        found.left_out.append((name, Skipped("link to a folder")))
    elif not stat.S_ISREG(state.st_mode):
        found.left_out.append((name, Skipped("no regular file", "a pipe, socket or device")))
    elif (kind := kinds.by_suffix(name)) or not os.path.splitext(name)[1] or is_named:
        yield Source(path, name, kind, state.st_size)
    else:
        found.left_out.append((name, Skipped(f"kind {os.path.splitext(name)[1].lower()}")))
