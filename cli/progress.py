"""How far a long run is: one line written over on a terminal, a plain line now and then elsewhere."""

import sys
import time
from typing import TextIO

from cli import terminal

REDRAWN_EVERY_S = 0.1
TOLD_EVERY_S = 10
_BAR_CHARACTERS = 24


class Progress:
    """One thread's. `files` and `size` are those of the whole run."""

    def __init__(self, files: int, size: int, stream: TextIO = sys.stderr) -> None:
        self.files, self.size, self.stream = files, size, stream
        self.is_terminal = stream.isatty()
        self.files_done = self.size_done = 0
        self.began = self.shown = time.monotonic()

    def step(self, size: int) -> None:
        self.files_done += 1
        self.size_done += size
        now = time.monotonic()
        if now - self.shown >= (REDRAWN_EVERY_S if self.is_terminal else TOLD_EVERY_S):
            self.shown = now
            self._show(now)

    def _share(self) -> float:
        """A file costs something, and so does each of its bytes: the middle of both."""
        return (self.files_done / max(self.files, 1) + self.size_done / max(self.size, 1)) / 2

    def _show(self, now: float) -> None:
        share, elapsed = min(self._share(), 1.0), max(now - self.began, 0.001)
        left = terminal.seconds_text(elapsed / share - elapsed) if share > 0 else "?"
        words = (f"{self.files_done}/{self.files} files  {terminal.bytes_text(self.size_done)}  {self.files_done / elapsed:.0f} files/s  "
                 f"{terminal.bytes_text(self.size_done / elapsed)}/s  {left} left")
        if self.is_terminal:
            full = int(_BAR_CHARACTERS * share)
            self._over(f"  [{'#' * full}{'.' * (_BAR_CHARACTERS - full)}] {words}")
        else:
            print(f"  {words}", file=self.stream, flush=True)

    def _over(self, line: str) -> None:
        print(f"\r{line[:terminal.width() - 1]}\033[K", end="", file=self.stream, flush=True)

    def note(self, line: str) -> None:
        """What is done before or after the files; on a terminal only."""
        if self.is_terminal:
            self._over(f"  {line}")

    def close(self) -> None:
        if self.is_terminal:
            if self.files_done:
                self._show(time.monotonic())
                print(file=self.stream)
            else:
                self._over("")
