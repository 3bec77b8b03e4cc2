"""What is written to a terminal: colour where it is wanted, and nothing that a document or a file name could do to the screen."""

import os
import re
import shutil
import sys
from typing import NoReturn, TextIO

# C0 and C1 controls begin escape sequences (ECMA-48), a carriage return overwrites, and bidirectional overrides reorder what stands there (UAX 9).
# A line feed is a control of the caller's, who says where lines end.
_ACTIVE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_WIDTH_MIN = 40


def harmless(text: str) -> str:
    """Text of somebody else's, in one or several lines: a tab is a space, other controls are U+FFFD."""
    return _ACTIVE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\t", " "))


def harmless_line(text: str) -> str:
    """A name or a message: one line, its controls told as escapes, so that two odd names still differ."""
    return re.sub(_ACTIVE.pattern + "|\n", lambda found: found.group().encode("unicode_escape").decode(), text)


def harmless_json(text: str) -> str:
    """JSON that means the same: what JSON leaves raw inside strings is written as \\u escapes."""
    return _ACTIVE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def end(message: str, status: int = 1) -> NoReturn:
    """Ends the program with a message that looks as the scripts' do."""
    print(f"quire: {harmless_line(message)}", file=sys.stderr)
    sys.exit(status)


def has_colour(stream: TextIO) -> bool:
    """NO_COLOR of any value but empty wins (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class Style:
    def __init__(self, stream: TextIO) -> None:
        self.bold, self.dim, self.plain = ("\033[1m", "\033[2m", "\033[0m") if has_colour(stream) else ("", "", "")


def width() -> int:
    return max(shutil.get_terminal_size().columns, _WIDTH_MIN)


def bytes_text(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def seconds_text(seconds: float) -> str:
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def count_text(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"
