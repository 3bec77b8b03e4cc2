"""A story as a person reads it in a terminal, and as a program reads it from a pipe."""

import datetime

from cli.terminal import harmless_line as harmless
from cli.tracing.lines import Line
from cli.tracing.notes import notes_of
from cli.tracing.story import Hop, Request, hops_of

_NAME_WIDTH, _MS_WIDTH, _BAR_WIDTH_MIN, _BAR_WIDTH_MAX = 18, 9, 16, 60
# Fields that every line has, or that the timeline has told already.
_TOLD = {"time", "level", "event", "service", "instance", "request_id", "call", "topic", "partition", "offset"}
_IN_TIMELINE = {"request.done", "request.handled", "request.deadline_exceeded", "request.dead_letter", "reply.late", "reply.lost", "proxy.request"}


class Style:
    """Work is solid, waiting is light; colours only add to that."""

    def __init__(self, width: int, colour: bool, unicode: bool, cuts: bool = True) -> None:
        """`cuts`: what is longer than the line is cut, as on a terminal; in a pipe or file it would be lost."""
        self.width, self.cuts = width, cuts
        self.work, self.wait, self.thin = ("█", "░", "▏") if unicode else ("#", ".", "|")
        self.cut = "…" if unicode else "~"
        self.bold, self.dim, self.warn, self.plain = ("\033[1m", "\033[2m", "\033[33m", "\033[0m") if colour else ("", "", "", "")
        rest = width - _NAME_WIDTH - _MS_WIDTH - 6  # three gaps of two
        self.bar_width = max(_BAR_WIDTH_MIN, min(_BAR_WIDTH_MAX, rest // 2))
        self.note_width = max(0, rest - self.bar_width)

    def fit_last(self, text: str, width: int) -> str:
        """Of what stands last in its line."""
        return self.fit(text, width) if self.cuts else text

    def fit(self, text: str, width: int) -> str:
        return text if len(text) <= width else text[:max(0, width - 1)] + self.cut[:width]


def clock(at_us: float) -> str:
    return datetime.datetime.fromtimestamp(at_us / 1e6, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"


def bar(hop: Hop, begin_us: float, span_us: float, style: Style) -> str:
    """At its place within the span; at least one thin mark, never beyond the last column."""
    cell_us = span_us / style.bar_width
    first = min(int((hop.begin_us - begin_us) / cell_us), style.bar_width - 1)
    last = min(round((hop.end_us - begin_us) / cell_us), style.bar_width)
    if last <= first:
        return " " * first + style.thin
    return " " * first + (style.wait if hop.waits else style.work) * (last - first)


def _row(hop: Hop, begin_us: float, span_us: float, style: Style) -> str:
    name = style.fit("  " * hop.depth + hop.name, _NAME_WIDTH)
    note = style.fit_last(harmless(f"{hop.where}: {hop.note}" if hop.where else hop.note), style.note_width)
    drawn = bar(hop, begin_us, span_us, style)
    return f"  {name:<{_NAME_WIDTH}}{hop.ms:>{_MS_WIDTH}.2f}  {drawn:<{style.bar_width}}  {style.dim}{note}{style.plain}".rstrip()


def _others(request: Request) -> list[Line]:
    lines = [line for call in request.calls for line in call.others] + request.others
    return sorted((line for line in lines if line.event not in _IN_TIMELINE), key=lambda line: line.at_us)


def _other(line: Line, request: Request) -> str:
    told = " ".join(f"{name}={value}" for name, value in line.fields.items() if name not in _TOLD)
    return harmless(f"{(line.at_us - request.begin_us) / 1000:+.2f} ms {line.source}: {line.event} {told}").rstrip()


def render(request: Request, style: Style) -> str:
    hops = hops_of(request)
    answered_us = request.answered_us
    took = f" in {(answered_us - request.begin_us) / 1000:.1f} ms" if answered_us is not None else ""
    status = f" {request.status}" if request.status else ""
    lines = [f"{style.bold}{harmless(request.request_id)}{style.plain}  {harmless(request.title)}{status}{took}  "
             f"{style.dim}{clock(request.begin_us)}{style.plain}", ""]
    if hops:
        begin_us = min(hop.begin_us for hop in hops)
        span_us = max(max(hop.end_us for hop in hops) - begin_us, 1)
        lines.append(f"  {style.dim}{'hop':<{_NAME_WIDTH}}{'ms':>{_MS_WIDTH}}  0{f'{span_us / 1000:.1f}':>{style.bar_width - 1}}{style.plain}")
        lines += [_row(hop, begin_us, span_us, style) for hop in hops]
    if notes := notes_of(request):
        lines += ["", *(f"  {style.warn}- {harmless(note)}{style.plain}" for note in notes)]
    if others := _others(request):
        lines += ["", "  Also logged:", *(f"    {style.fit_last(_other(line, request), style.width - 4)}" for line in others)]
    return "\n".join(lines)


def as_json(request: Request) -> dict:
    """Times are milliseconds; `from_ms` counts from the request's begin."""
    answered_us = request.answered_us
    return {
        "request_id": request.request_id,
        "title": request.title,
        "status": request.status,
        "began": datetime.datetime.fromtimestamp(request.begin_us / 1e6, datetime.UTC).isoformat(timespec="microseconds"),
        "ms": None if answered_us is None else round((answered_us - request.begin_us) / 1000, 3),
        "hops": [{"name": hop.name, "depth": hop.depth, "from_ms": round((hop.begin_us - request.begin_us) / 1000, 3), "ms": round(hop.ms, 3),
                  "waits": hop.waits, "where": hop.where, "note": hop.note} for hop in hops_of(request)],
        "notes": notes_of(request),
        "others": [{"source": line.source, **line.fields} for line in _others(request)],
    }
