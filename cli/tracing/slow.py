"""The slowest requests of many lines, in one pass and bounded memory."""

import heapq
import re
from collections.abc import Iterable

from cli.terminal import harmless_line as harmless
from cli.tracing.lines import Line, parse
from cli.tracing.story import HANDLED, Call, Request, hops_of
from cli.tracing.text import Style, clock

# So many lines of consumers are kept, the slowest ones: what they say of the slowest requests is among them, unless those were slow elsewhere.
_CONSUMER_LINES_MAX = 5_000
_GATEWAY_MS = re.compile(r'"ms": ?([0-9.]+)')
_CONSUMER_US = re.compile(r'"total_us": ?([0-9]+)')
_TOPIC_MS = re.compile(r'"topic_wait_ms": ?([0-9]+)')


class _Largest:
    """The `most` items with the largest keys; makes an item only when its key is among them."""

    def __init__(self, most: int) -> None:
        self.most, self.count, self.heap = most, 0, []

    def offer(self, key: float, make) -> None:
        if len(self.heap) == self.most and key <= self.heap[0][0]:
            return
        item = make()
        if item is None:
            return
        self.count += 1  # no two items are compared
        (heapq.heappush if len(self.heap) < self.most else heapq.heapreplace)(self.heap, (key, self.count, item))

    def items(self) -> list:
        return [item for _, _, item in sorted(self.heap, reverse=True)]


def slowest(texts: Iterable[tuple[str, str]], count: int, since_us: int = 0) -> list[Request]:
    """The `count` slowest by their gateway's own time, slowest first, with what their consumers say."""
    gateways, consumers = _Largest(count), _Largest(_CONSUMER_LINES_MAX)

    def made(text: str, source: str) -> Line | None:
        line = parse(text, source)
        return line if line is not None and line.at_us >= since_us else None

    for source, text in texts:
        if '"request.done"' in text and (found := _GATEWAY_MS.search(text)):
            gateways.offer(float(found[1]), lambda: made(text, source))
        elif any(event in text for event in HANDLED) and (found := _CONSUMER_US.search(text)):
            waited = _TOPIC_MS.search(text)
            consumers.offer(int(found[1]) + (int(waited[1]) * 1000 if waited else 0), lambda: made(text, source))
    of_call: dict[str, list[Line]] = {}
    for line in consumers.items():
        of_call.setdefault(line.text("call"), []).append(line)
    return [_request(line, of_call) for line in gateways.items() if line.event == "request.done"]


def _request(gateway: Line, of_call: dict[str, list[Line]]) -> Request:
    deliveries = of_call.get(gateway.text("call"), []) if "call" in gateway.fields else []
    deliveries = [line for line in deliveries if line.fields.get("request_id") == gateway.fields.get("request_id")]
    return Request(gateway.text("request_id"), calls=[Call(gateway, sorted(deliveries, key=lambda line: line.at_us))])


def where_the_time_went(request: Request) -> str:
    """Its three longest steps, longest first."""
    steps = [hop for hop in hops_of(request) if hop.name not in ("proxy", "gateway", "consumer")]
    longest = sorted(steps, key=lambda hop: hop.ms, reverse=True)[:3]
    return ", ".join(f"{hop.name} {hop.ms:.1f}" for hop in longest if hop.ms >= 0.05)


def render(requests: list[Request], style: Style) -> str:
    rows = [f"{style.dim}{'ms':>10}  {'status':<6}  {'began (UTC)':<23}  {'call':<28}  {'longest steps, ms':<44}  request id{style.plain}"]
    for request in requests:
        gateway = request.calls[0].gateway
        rows.append(f"{gateway.number('ms'):>10.1f}  {request.status:<6}  {clock(request.begin_us)[:-4]:<23}  {style.fit(harmless(request.title), 28):<28}  "
                    f"{style.fit(where_the_time_went(request), 44):<44}  {harmless(request.request_id)}")
    return "\n".join(rows)
