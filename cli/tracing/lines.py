"""Log lines: where they come from, which of them speak of a request, and what they say. docs/TRACING.md lists the fields."""

import dataclasses
import datetime
import json
import pathlib
import re
from collections.abc import Iterable, Iterator
from typing import TextIO

# So many lines of one id are looked at: a client that gives every request the same id must not fill the memory.
LINES_MAX = 10_000
REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
# What docker compose puts before a container's line, with the terminal code that it adds even in a pipe.
_PREFIX = re.compile(r"(?:\x1b\[2K)?([A-Za-z0-9._-]+) +\| ?")


@dataclasses.dataclass(frozen=True)
class Line:
    at_us: int  # microseconds since 1970
    source: str  # the container, or the log file's name
    event: str
    service: str
    fields: dict

    def number(self, name: str) -> float:
        """0 where the field is missing or no number."""
        value = self.fields.get(name, 0)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else 0

    def text(self, name: str) -> str:
        value = self.fields.get(name, "")
        return value if isinstance(value, str) else json.dumps(value)


def us_of(time: str) -> int:
    """Of an RFC 3339 time. ValueError for anything else, and for one without a zone."""
    moment = datetime.datetime.fromisoformat(time)
    if moment.tzinfo is None:
        raise ValueError(f"a time without a zone: {time}")
    return (moment - _EPOCH) // datetime.timedelta(microseconds=1)


def parse(text: str, source: str) -> Line | None:
    """None for what is no line of a process of ours: a start-up message of another part, a half line of a killed process."""
    if prefix := _PREFIX.match(text):
        source, text = prefix[1], text[prefix.end():]
    if not text.startswith("{"):
        return None
    try:
        fields = json.loads(text)
        return Line(us_of(fields["time"]), source, str(fields["event"]), str(fields.get("service", source)), fields)
    except (ValueError, KeyError, TypeError):
        return None


def of_requests(texts: Iterable[tuple[str, str]], request_ids: set[str], since_us: int = 0) -> tuple[list[Line], bool]:
    """The lines of (source, text) that name one of the ids, by time; and whether there were more than are looked at."""
    found = []
    for source, text in texts:
        if not any(request_id in text for request_id in request_ids):  # most lines speak of others, and parsing costs the most
            continue
        line = parse(text, source)
        if line is None or line.at_us < since_us or line.fields.get("request_id") not in request_ids:
            continue
        if len(found) == LINES_MAX:
            return sorted(found, key=lambda line: line.at_us), True
        found.append(line)
    return sorted(found, key=lambda line: line.at_us), False


def from_stream(stream: TextIO) -> Iterator[tuple[str, str]]:
    return (("stdin", text) for text in stream)


def from_folder(folder: pathlib.Path) -> Iterator[tuple[str, str]]:
    """Every *.log and *.jsonl in the folder and the folders in it; a file is named as its process is. No deeper: there may be data, which a
    caller has written."""
    for path in sorted(path for pattern in ("*.log", "*.jsonl", "*/*.log", "*/*.jsonl") for path in folder.glob(pattern)):
        with path.open(errors="replace") as file:
            for text in file:
                yield path.stem, text
