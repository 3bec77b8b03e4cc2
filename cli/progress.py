"""How far a long run is: one line written over on a terminal, a plain line now and then elsewhere."""

import collections
import os
import sys
import time
from dataclasses import dataclass
from typing import TextIO

from cli import terminal

REDRAWN_EVERY_S = 0.1
TOLD_EVERY_S = 10
# Rates are of the last seconds: what is to come is more like these than like the beginning.
_RATE_OVER_S = 10
_SAMPLED_EVERY_S = 0.2
_BAR_CHARACTERS = 24


@dataclass(frozen=True)
class _Sample:
    at: float
    files: int
    size: int
    share: float


@dataclass(frozen=True)
class _Part:
    """Of a line; what is of least importance gives way first when a terminal is narrow."""

    importance: int
    words: str


def fitted(parts: list[_Part], characters: int) -> str:
    def line() -> str:
        return "  ".join(part.words for part in parts)

    while len(parts) > 1 and len(line()) > characters:
        parts = [part for part in parts if part is not min(parts, key=lambda part: part.importance)]
    return line()[:characters]


class Progress:
    """One thread's, but for say(). `files` and `size` are those of the whole run."""

    def __init__(self, files: int, size: int, stream: TextIO = sys.stderr) -> None:
        self.files, self.size, self.stream = files, size, stream
        self.is_terminal = stream.isatty()
        self.files_done = self.size_done = 0
        self.is_away = False
        self.shown = time.monotonic()
        self.samples = collections.deque([_Sample(self.shown, 0, 0, 0.0)])

    def step(self, size: int, is_read: bool = True) -> None:
        """A file is done with. Of one that was refused no byte counts: its size is not that of any work."""
        self.files_done += 1
        if is_read:
            self.size_done += size
        else:
            self.size -= size
        self.tick(self.is_away)

    def tick(self, is_away: bool) -> None:
        """Shows how far it is, if it is time to; `is_away`: the server does not answer."""
        self.is_away, now = is_away, time.monotonic()
        if now - self.samples[-1].at >= _SAMPLED_EVERY_S:
            self.samples.append(_Sample(now, self.files_done, self.size_done, self._share()))
            while now - self.samples[1].at > _RATE_OVER_S:
                self.samples.popleft()
        if now - self.shown >= (REDRAWN_EVERY_S if self.is_terminal else TOLD_EVERY_S):
            self.shown = now
            self._show(now)

    def _share(self) -> float:
        """A file costs something, and so does each of its bytes: the middle of both."""
        return min((self.files_done / max(self.files, 1) + self.size_done / max(self.size, 1)) / 2, 1.0)

    def _show(self, now: float) -> None:
        share, since = self._share(), self.samples[0]
        elapsed = max(now - since.at, 0.001)
        left = (1 - share) * elapsed / (share - since.share) if share > since.share else None
        if self.is_away:
            pace = [_Part(8, "waiting for the server")]
        else:
            pace = [_Part(7, f"{(self.files_done - since.files) / elapsed:.0f} files/s"),
                    _Part(2, f"{terminal.bytes_text((self.size_done - since.size) / elapsed)}/s"),
                    _Part(8, f"{terminal.seconds_text(left) if left is not None else '?'} left")]
        full = int(_BAR_CHARACTERS * share)
        parts = [_Part(3, f"[{'#' * full}{'.' * (_BAR_CHARACTERS - full)}]"), _Part(9, f"{100 * share:.0f} %"),
                 _Part(5, f"{self.files_done}/{self.files} files"), _Part(1, terminal.bytes_text(self.size_done)), *pace]
        if self.is_terminal:
            self._over(fitted(parts, self._width() - 3))
        else:
            print(f"  {'  '.join(part.words for part in parts[1:])}", file=self.stream, flush=True)

    def _width(self) -> int:
        """Asked each time, as a window changes its size; COLUMNS says what it was at the start."""
        try:
            return os.get_terminal_size(self.stream.fileno()).columns or terminal.width()
        except (OSError, ValueError):
            return terminal.width()

    def _over(self, line: str) -> None:
        print(f"\r  {line}\033[K", end="", file=self.stream, flush=True)

    def note(self, line: str) -> None:
        """What is done before or after the files; on a terminal only."""
        if self.is_terminal:
            self._over(line[:self._width() - 3])

    def say(self, line: str) -> None:
        """A line that stays."""
        start, end = ("\r", "\033[K") if self.is_terminal else ("", "")
        print(f"{start}{line}{end}", file=self.stream, flush=True)

    def close(self) -> None:
        if self.is_terminal:
            if self.files_done:
                self._show(time.monotonic())
                print(file=self.stream)
            else:
                print("\r\033[K", end="", file=self.stream, flush=True)
