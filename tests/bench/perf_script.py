"""What `perf script` prints, as stacks: {(thread, outermost frame, ..., innermost): weight}."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

FIELDS = "comm,tid,time,event,ip,sym,dso"  # what `perf script -F` has to be asked for
THREAD, PROGRAM, LIBRARY, KERNEL, WAIT = "thread", "program", "library", "kernel", "wait"  # where a frame is from


class Frame(NamedTuple):
    name: str
    origin: str


Stack = tuple[Frame, ...]
_HEAD = re.compile(r"^\s*(?P<thread>.*?)\s+(?P<tid>\d+)\s+(?P<time>\d+\.\d+):\s+(?P<event>.*?):?\s*$")
_FRAME = re.compile(r"^\s+[0-9a-f]+ (?P<symbol>.+?) \((?P<object>[^()]*(?:\([^()]*\))?[^()]*)\)$")
RUNNABLE = Frame("waits for a core", WAIT)  # put out while it had work to do


@dataclass
class Event:
    thread: str
    tid: int
    time_s: float
    what: str  # an event's name, or PERF_RECORD_SWITCH ...
    frames: list[Frame] = field(default_factory=list)  # innermost first, as perf prints them


def _origin(path: str) -> str:
    if path.startswith("["):
        return KERNEL if "kernel" in path else LIBRARY  # [vdso] is the kernel's, and runs in the user's side
    return LIBRARY if ".so" in path else PROGRAM


def _frame(line: str) -> Frame | None:
    found = _FRAME.match(line)
    if not found:
        return None
    symbol, library = found["symbol"], found["object"].rpartition("/")[2]
    if symbol == "[unknown]":  # a stripped library's own functions
        return Frame(f"[{library.partition('.so')[0]}]", _origin(found["object"]))
    plain = re.sub(r"\.(?:constprop|isra|part|cold|lto_priv)\.?\d*(?:\.\d+)*|@plt$|@@?[A-Z_.0-9]+$", "", symbol)
    return Frame(plain, _origin(found["object"]))


def events(lines: Iterable[str]) -> Iterator[Event]:
    """Each with all its frames."""
    last: Event | None = None
    for line in lines:
        frame = _frame(line)
        if frame is not None:
            if last is not None:
                last.frames.append(frame)
            continue
        head = _HEAD.match(line)
        if head:
            if last is not None:
                yield last
            last = Event(re.sub(r"\d+", "", head["thread"]), int(head["tid"]), float(head["time"]), head["event"])
    if last is not None:
        yield last


def _stack(event: Event) -> Stack:
    """From the thread inwards; a library without symbols is one frame, however many of its functions are on the way."""
    stack = [Frame(event.thread, THREAD)]
    for frame in reversed(event.frames):
        if frame != stack[-1] or not frame.name.startswith("["):
            stack.append(frame)
    return tuple(stack)


def on_cpu(lines: Iterable[str]) -> Counter[Stack]:
    """Samples."""
    return Counter(_stack(event) for event in events(lines))


def off_cpu(lines: Iterable[str]) -> Counter[Stack]:
    """Seconds between a thread's switch away from a core and its return. A thread that was put out although it could have gone on is under RUNNABLE."""
    left: dict[int, tuple[float, Stack, bool]] = {}
    found: Counter[Stack] = Counter()
    for event in events(lines):
        if not event.what.startswith("PERF_RECORD_SWITCH"):
            left[event.tid] = (event.time_s, _stack(event), False)
        elif " OUT" in event.what and event.tid in left:
            since, stack, _ = left[event.tid]
            left[event.tid] = (since, stack, "preempt" in event.what)
        elif " IN" in event.what and event.tid in left:
            since, stack, preempted = left.pop(event.tid)
            found[(stack[0], RUNNABLE) if preempted else stack] += event.time_s - since
    return found
