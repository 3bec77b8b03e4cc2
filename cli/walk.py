"""Which files are meant by the paths that were named, and what each is called in the library."""

import glob
import os
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from cli import kinds
from cli.outcome import Failed, NotImported, Skipped

_GLOB = frozenset("*?[")


@dataclass(frozen=True)
class Source:
    """A file to read. `name` is what the library knows it by: the path below the folder that import was started in, or else from the named folder on.
    `origin` is the folder in which the name begins, so that both together are the file's whole path. `kind` is None when the name doesn't tell."""

    path: str
    name: str
    kind: kinds.Kind | None
    size: int
    origin: str = ""


@dataclass(frozen=True)
class Place:
    """A name in the library and the folder in which it begins; the name of a folder ends in a slash."""

    name: str
    origin: str


@dataclass
class Found:
    """`folders` are those that were named, `blind` those that could not be read. `unentered` may be folders too: hidden ones and links, whose files come
    only when they are named themselves. `links`: what is read instead of the path of a link."""

    sources: list[Source] = field(default_factory=list)
    left_out: list[tuple[Place, NotImported]] = field(default_factory=list)
    folders: list[Place] = field(default_factory=list)
    blind: list[Place] = field(default_factory=list)
    unentered: list[Place] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)


def spelled(name: str) -> str:
    """The name as text: bytes that are no UTF-8 as \\xff, letters composed (NFC), so that the same file has the same name on every machine."""
    return unicodedata.normalize("NFC", os.fsencode(name).decode("utf-8", "backslashreplace"))


def place_of(path: str, folder: str) -> Place:
    """What the absolute `path` is called when import was started in `folder`. Never '' for a folder other than the root: what is pruned has a name."""
    if path.startswith(folder.rstrip("/") + "/"):
        return Place(spelled(path.removeprefix(folder.rstrip("/") + "/")), spelled(folder))
    return Place(spelled(os.path.basename(path)), spelled(os.path.dirname(path)))


def shown(name: str, origin: str, folder: str) -> str:
    """How a message in `folder` calls a file: by its name if that can be followed from there, else by its whole path."""
    path = os.path.join(origin, name)
    return name if path.startswith(folder.rstrip("/") + "/") else path


def find(paths: list[str], folder: str, root: str = "", links: dict[str, str] | None = None) -> Found:
    """All files below the paths, each once, in a stable order. `folder` is where the paths start, absolute; `root` where the file system that they speak
    of is mounted. `links`: by the absolute path of a link where that can be read which it leads to, as below `root` the link itself may lead nowhere."""
    found, seen, named = Found(links={root + link: target for link, target in (links or {}).items()}), set(), {}
    for typed in paths:
        matches = list(_expanded(os.path.normpath(os.path.join(folder, typed)), root))
        if not matches:
            found.left_out.append((Place(spelled(typed), spelled(folder)), _missing(typed)))
        for path, is_named in matches:
            for source in _below(path, root, place_of(path, folder), is_named, found):
                if source.path in seen:
                    continue
                seen.add(source.path)
                if first := named.get(source.name):
                    which = shown(first.name, first.origin, spelled(folder))
                    fault = Failed("another file of the same name", f"{which}; import both from a folder above them")
                    found.left_out.append((Place(source.name, source.origin), fault))
                    continue
                named[source.name] = source
                found.sources.append(replace(source, path=found.links.get(source.path, source.path)))
    found.sources.sort(key=lambda source: source.name)
    found.folders = list(dict.fromkeys(found.folders))
    return found


def _missing(typed: str) -> Failed:
    return Failed("nothing is called so" if _GLOB & set(typed) else "there is no such file or folder")


def _expanded(path: str, root: str) -> Iterator[tuple[str, bool]]:
    """The path itself, or what it matches as a pattern (** is any depth); with it whether somebody has named it."""
    if os.path.lexists(root + path):
        yield path, True
        return
    matches = sorted(glob.iglob(glob.escape(root) + path, recursive=True)) if _GLOB & set(path) else []
    for match in matches:
        yield os.path.normpath(match.removeprefix(root)), False


def _below(path: str, root: str, place: Place, is_named: bool, found: Found) -> Iterator[Source]:
    """A file that was named comes whatever it is called; so does a folder, and a link to one is followed if it was named."""
    origin = place.origin
    if not os.path.isdir(root + path):
        yield from _file(root + path, place, is_named, found)
        return
    prefix = f"{place.name}/" if place.name else ""
    found.folders.append(Place(prefix, origin))
    waiting = [(root + path, prefix)]
    while waiting:
        where, prefix = waiting.pop()
        try:
            with os.scandir(where) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            found.left_out.append((Place(prefix, origin), Failed("unreadable folder", error.strerror or "")))
            found.blind.append(Place(prefix, origin))
            continue
        for entry in listed:
            name = prefix + spelled(entry.name)
            if entry.name.startswith("."):
                found.left_out.append((Place(name, origin), Skipped("hidden")))
                found.unentered.append(Place(name + "/", origin))
            elif entry.is_dir(follow_symlinks=False):
                waiting.append((entry.path, name + "/"))
            else:
                yield from _file(entry.path, Place(name, origin), False, found)


def _file(path: str, place: Place, is_named: bool, found: Found) -> Iterator[Source]:
    name = place.name
    try:
        state = os.stat(found.links.get(path, path))
    except OSError as error:
        is_link = os.path.islink(path)
        found.unentered.append(Place(name + "/", place.origin))
        found.left_out.append((place, Failed("broken link" if is_link else "unreadable", error.strerror or "")))
        return
    if stat.S_ISDIR(state.st_mode):
        found.left_out.append((place, Skipped("link to a folder")))
        found.unentered.append(Place(name + "/", place.origin))
    elif not stat.S_ISREG(state.st_mode):
        found.left_out.append((place, Skipped("no regular file", "a pipe, socket or device")))
    elif (kind := kinds.by_suffix(name)) or not os.path.splitext(name)[1] or is_named:
        yield Source(path, name, kind, state.st_size, place.origin)
    else:
        found.left_out.append((place, Skipped(f"kind {os.path.splitext(name)[1].lower()}")))
