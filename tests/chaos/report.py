"""What each fault cost: its figures, and which promises it broke."""

import statistics
from collections import Counter
from dataclasses import dataclass, field

# A request may take its deadline and this.
_MARGIN_S = 1.0
# Refusals while a backend is known to be away are at once: nine of ten, as on a busy machine a process may have to wait for its turn; none by a
# time-out. The clients' own delay is that of one round trip between two processes; a request makes three
# of them (proxy, gateway, broker, worker and back).
_AT_ONCE_S = 0.1
_ROUND_TRIPS = 3
# By when the absence is known: a killed one's connections break; a silent one is asked each second, and waited for a second; a probe through Kafka that
# stays away is given three.
KNOWN_KILLED_S = 1.5
KNOWN_SILENT_S = 2.5
KNOWN_SILENT_KAFKA_S = 3.5

_COLUMNS = ("fault", "requests", "2xx", "4xx", "503", "504", "none", "acknowledged", "lost", "doubled", "late", "wrong", "recovery s")


@dataclass
class Window:
    """One fault as it went: its cause ended at `mark`, what was away was on its way back from `returning` on, all was well from `whole` on (None: never)."""

    fault: object
    struck: float
    mark: float
    end: float
    whole: float | None
    returning: float
    requests: list = field(default_factory=list)

    @property
    def recovery_s(self):
        return None if self.whole is None else max(0.0, self.whole - self.mark)


def failed(request):
    return not request.succeeded or request.wrong is not None


def late(window, request, own_delay):
    """Over its deadline and the margin, what the client itself stood still not counted; while the proxy is away time starts at its return."""
    begin = max(request.sent_at, window.mark) if window.fault.proxy_away and request.sent_at < window.mark else request.sent_at
    end = request.ended_at
    return end is None or end - begin > request.deadline_s + _MARGIN_S + own_delay(request.sent_at, end)


def hand_over(window, following):
    """What was under way when the next fault struck is judged with that one alone: its proxy may have been stopped."""
    theirs = {request.id for request in following.requests if request.under_way(following.struck)}
    window.requests = [request for request in window.requests if request.id not in theirs]


class Figures:
    def __init__(self, window, verdict, own_delay):
        self.window = window
        requests = window.requests
        self.classes = Counter("none" if request.status is None else str(request.status) if request.status in (503, 504) else f"{request.status // 100}xx"
                               for request in requests)
        writes = {request.write for request in requests if request.write}
        self.acknowledged = len({request.write for request in requests if request.acknowledged})
        self.lost = [verdict.lost[write] for write in writes & verdict.lost.keys()]
        self.doubled = [verdict.doubled[write] for write in writes & verdict.doubled.keys()]
        self.late = [request for request in requests if late(window, request, own_delay)]
        self.wrong = [request for request in requests if request.wrong]
        self.own_delay = own_delay
        self.broken = list(self._broken())
        self.missed = list(self._missed())

    def _broken(self):
        """Promises that did not hold, in words: those that no haste of the machine excuses."""
        window, fault = self.window, self.window.fault
        yield from self.lost
        yield from self.doubled
        for request in self.late:
            yield f"late: {_told(request)} took {request.seconds:.2f} s of {request.deadline_s} s"
        for request in self.wrong:
            yield f"wrong: {_told(request)}: {request.wrong}"
        if not fault.proxy_away:
            for request in window.requests:
                if request.status is None:
                    yield f"no answer: {_told(request)}: {request.error} after {request.seconds:.2f} s"
        if window.recovery_s is None:
            yield "the stack was not whole again"

    def _missed(self):
        """Bounds of time that were not kept, in words: how soon what is whole again, refused or moved away is so. A machine that others
        have for a while can make each of them."""
        window, fault = self.window, self.window.fault
        if fault.no_failure:
            for request in window.requests:
                if failed(request) and not request.wrong and request.status is not None:
                    yield f"failed: {_told(request)} after {request.seconds:.2f} s"
        if window.recovery_s is not None and window.recovery_s > fault.recovery_s + self.own_delay(window.mark, window.whole):
            yield f"whole again after {window.recovery_s:.1f} s, not within {fault.recovery_s:.0f} s"
        yield from self._missed_while_away()

    def known(self):
        """Requests sent while the absence was known, and with time to be answered before it ended."""
        fault, window = self.window.fault, self.window
        if fault.known_s is None:
            return []
        return [request for request in window.requests if window.struck + fault.known_s <= request.sent_at < window.returning - _AT_ONCE_S]

    def _missed_while_away(self):
        fault = self.window.fault
        took = []
        for request in self.known():
            served = request.status is not None and request.status < 500
            if (fault.goes_on is None or request.kind in fault.goes_on) and not served:
                yield f"does not need what is away, and failed: {_told(request)}"
            elif not served:
                took.append(request.seconds - _ROUND_TRIPS * self.own_delay(request.sent_at, request.sent_at + request.seconds))
                if request.status != 503:
                    yield f"refused by a time-out, though it is known to be away: {_told(request)} after {request.seconds * 1000:.0f} ms"
        if took and sorted(took)[len(took) * 9 // 10] > _AT_ONCE_S:
            yield f"refused late, though it is known to be away: nine of ten within {sorted(took)[len(took) * 9 // 10] * 1000:.0f} ms"

    def row(self):
        window = self.window
        recovery = "never" if window.recovery_s is None else f"{window.recovery_s:.1f}"
        return (window.fault.name, len(window.requests), *(self.classes[name] for name in ("2xx", "4xx", "503", "504", "none")), self.acknowledged,
                len(self.lost), len(self.doubled), len(self.late), len(self.wrong), recovery)

    def away(self):
        """One line about the time in which the absence was known, or None."""
        known = self.known()
        if not known:
            return None
        served = [request for request in known if request.status is not None and request.status < 500]
        refused = sorted(request.seconds for request in known if request not in served)
        took = (f"refused {len(refused)}: half within {statistics.median(refused) * 1000:.0f} ms, nine of ten within {refused[len(refused) * 9 // 10] * 1000:.0f}, "
                f"all within {refused[-1] * 1000:.0f}") if refused else "refused none"
        return f"    while it was known to be away: served {len(served)}, {took}"


def _told(request):
    return f"{request.kind} {request.id} -> {request.status or request.error}"


def header():
    return _line(_COLUMNS)


def _line(values):
    name, *rest = values
    return f"{name:<30}" + "".join(f"{value:>13}" if len(str(column)) > 8 else f"{value:>9}" for column, value in zip(_COLUMNS[1:], rest))


def line(figures):
    return _line(figures.row())
