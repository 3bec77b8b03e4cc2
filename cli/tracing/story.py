"""What happened to each request: its hops with their times, and what is to be told plainly about it.

A line tells one end and how long each step before it took; everything else is counted back from there. Lines of one call (a message that
a gateway sent and its consumers' work on it) have a `call` in common; the proxy's line is found by its time."""

import dataclasses
from collections.abc import Iterable

from cli.tracing.lines import Line

HANDLED = ("request.handled", "request.deadline_exceeded")
# Of two clocks reads on one machine, and of a proxy that takes its time before it looks at its clock.
_SLACK_US = 5_000
# A hop shorter than this isn't worth a row.
_ROW_US = 1


@dataclasses.dataclass
class Hop:
    name: str
    begin_us: float
    end_us: float
    depth: int = 0
    waits: bool = False  # nobody works on the request meanwhile
    where: str = ""
    note: str = ""

    @property
    def ms(self) -> float:
        return (self.end_us - self.begin_us) / 1000


@dataclasses.dataclass
class Call:
    """One message: the gateway's line about it, and what each consumer that got it says."""

    gateway: Line | None = None
    deliveries: list[Line] = dataclasses.field(default_factory=list)
    others: list[Line] = dataclasses.field(default_factory=list)  # dead letters, late replies, failed statements

    @property
    def begin_us(self) -> float:
        if self.gateway is not None:
            return self.gateway.at_us - self.gateway.number("ms") * 1000
        first = (self.deliveries or self.others)[0]
        return first.at_us - first.number("total_us") - first.number("topic_wait_ms") * 1000

    @property
    def sent_us(self) -> float | None:
        """When the gateway had given it to Kafka's producer; None: it didn't, or has no line."""
        if self.gateway is None or "call" not in self.gateway.fields:
            return None
        return self.gateway.at_us - self.gateway.number("reply_us") - self.gateway.number("wait_us")


@dataclasses.dataclass
class Request:
    """One HTTP request, or one message that came past the gateway."""

    request_id: str
    proxy: Line | None = None
    calls: list[Call] = dataclasses.field(default_factory=list)
    others: list[Line] = dataclasses.field(default_factory=list)

    @property
    def begin_us(self) -> float:
        if self.proxy is not None:
            return self.proxy.at_us - self.proxy.number("us")
        return min(call.begin_us for call in self.calls) if self.calls else self.others[0].at_us

    @property
    def answered_us(self) -> float | None:
        """When its caller had an answer; None where nobody's line says."""
        if self.proxy is not None:
            return self.proxy.at_us
        return max((call.gateway.at_us for call in self.calls if call.gateway is not None), default=None)

    @property
    def status(self) -> int:
        lines = [self.proxy, *(call.gateway for call in reversed(self.calls)), *(line for call in self.calls for line in reversed(call.deliveries))]
        return next((int(line.number("status")) for line in lines if line is not None), 0)

    @property
    def title(self) -> str:
        for call in self.calls:
            if call.gateway is not None:
                return f"{call.gateway.text('method')} {call.gateway.text('route')}"
        for call in self.calls:
            if call.deliveries:
                return call.deliveries[0].text("method")
        return self.proxy.text("method") if self.proxy is not None else self.others[0].event


# Lines to requests.

def _calls(lines: Iterable[Line]) -> tuple[list[Call], list[Line]]:
    """The calls by time, and the lines that name none."""
    named: dict[str, Call] = {}
    unsent, loose = [], []
    for line in lines:
        name = line.fields.get("call")
        if name is None and line.event == "request.done":
            unsent.append(Call(gateway=line))  # the gateway answered it by itself
        elif not isinstance(name, str):
            loose.append(line)
        else:
            call = named.setdefault(name, Call())
            if line.event == "request.done":
                call.gateway = line
            elif line.event in HANDLED:
                call.deliveries.append(line)
            else:
                call.others.append(line)
    return sorted([*named.values(), *unsent], key=lambda call: call.begin_us), loose


def _proxied(call: Call, proxies: list[Line]) -> Line | None:
    """The proxy's line about this call: of those that began before it and ended after it, the one that ended first."""
    if call.gateway is None:
        return None
    around = [proxy for proxy in proxies
              if proxy.at_us - proxy.number("us") <= call.begin_us + _SLACK_US and proxy.at_us >= call.gateway.at_us - _SLACK_US]
    return min(around, key=lambda proxy: proxy.at_us, default=None)


def requests_of(lines: list[Line]) -> list[Request]:
    """Every request that the lines (by time, of one request id) speak of, by time."""
    calls, loose = _calls(lines)
    proxies = [line for line in loose if line.event == "proxy.request"]
    requests, by_proxy = [], {}
    for call in calls:
        request_id = next(line.text("request_id") for line in (call.gateway, *call.deliveries, *call.others) if line is not None)
        proxy = _proxied(call, proxies)
        if proxy is not None and id(proxy) in by_proxy:
            by_proxy[id(proxy)].calls.append(call)  # it asked a second gateway
            continue
        requests.append(Request(request_id, proxy, [call]))
        if proxy is not None:
            by_proxy[id(proxy)] = requests[-1]
    requests += [Request(proxy.text("request_id"), proxy) for proxy in proxies if id(proxy) not in by_proxy]
    requests.sort(key=lambda request: request.begin_us)
    for line in loose:
        if line.event != "proxy.request":
            _attach(requests, line)
    return requests


def _attach(requests: list[Request], line: Line) -> None:
    """To the latest request that had begun by then."""
    begun = [request for request in requests if request.begin_us <= line.at_us + _SLACK_US]
    if begun:
        begun[-1].others.append(line)
    else:
        requests.insert(0, Request(line.text("request_id"), others=[line]))


# Requests to hops.

def _steps(begin_us: float, depth: int, steps: Iterable[tuple[str, float, bool, str]]) -> tuple[list[Hop], float]:
    """One after the other: (name, microseconds, waits, note). Those of no length are left out. Also says where the last one ends."""
    hops = []
    for name, length_us, waits, note in steps:
        if length_us >= _ROW_US:
            hops.append(Hop(name, begin_us, begin_us + length_us, depth, waits, note=note))
        begin_us += length_us
    return hops, begin_us


def _proxy_hop(proxy: Line) -> Hop:
    note = f"to {proxy.text('gateway')}" if proxy.text("gateway") not in ("", "<NOSRV>") else "to no gateway"
    return Hop("proxy", proxy.at_us - proxy.number("us"), proxy.at_us, where=proxy.source, note=note)


def _statement_note(line: Line) -> str:
    if "server" not in line.fields:
        return "no statement"
    count = int(line.number("statements"))
    own = line.number("own_sql_us") / 1000
    return f"{line.text('server')}: own {count} statement{'s' if count != 1 else ''} {own:.1f} ms"


def _consumer_hops(line: Line) -> list[Hop]:
    begin_us, batch = line.at_us - line.number("total_us"), int(line.number("batch"))
    notes = [f"batch of {batch}" if batch != 1 else "alone in its batch"]
    if line.number("attempt") > 1:
        notes.append(f"attempt {int(line.number('attempt'))}")
    hops, end_us = _steps(begin_us, 2, [
        ("decode", line.number("decode_us"), False, ""),
        ("session check", line.number("check_us"), False, "Redis: session and limits"),
        ("handler, SQL", line.number("sql_us"), False, _statement_note(line)),
        ("flush", line.number("flush_us"), False, "primary: WAL made durable"),
        ("publish", line.number("publish_us"), False, "Redis: watermark, place freed"),
    ])
    rest, _ = _steps(end_us, 2, [("produce", line.at_us - end_us, False, "replies, into Kafka's producer")])
    return [Hop("consumer", begin_us, line.at_us, 1, where=line.source, note=", ".join(notes)), *hops, *rest]


def _place(line: Line) -> str:
    return f"{line.text('topic')}[{int(line.number('partition'))}] at {int(line.number('offset'))}"


def _topic_hop(call: Call, line: Line) -> Hop:
    """From the gateway's producer to the consumer's batch; by the message's own time where the gateway has no line."""
    begun_us = line.at_us - line.number("total_us")
    sent_us = call.sent_us
    if sent_us is None:
        sent_us = begun_us - line.number("topic_wait_ms") * 1000
    return Hop("topic", min(sent_us, begun_us), begun_us, 1, True, note=_place(line))


def _call_hops(call: Call) -> list[Hop]:
    hops, gateway = [], call.gateway
    if gateway is not None:
        hops.append(Hop("gateway", call.begin_us, gateway.at_us, where=gateway.source, note=f"{gateway.text('method')} {gateway.text('route')}"))
        hops += _steps(call.begin_us, 1, [
            ("parse", gateway.number("parse_us"), False, "until its bytes were complete"),
            ("queue", gateway.number("queue_us"), True, "behind the connection's earlier ones"),
            ("produce", gateway.number("produce_us"), False, "to protobuf, into Kafka's producer"),
        ])[0]
    for line in call.deliveries:
        hops += [_topic_hop(call, line), *_consumer_hops(line)]
    if gateway is None or call.sent_us is None:
        return hops
    replied_us = gateway.at_us - gateway.number("reply_us")
    ended_us = max((line.at_us for line in call.deliveries if line.at_us <= replied_us), default=None)
    if not call.deliveries:
        hops.append(Hop("wait", call.sent_us, replied_us, 1, True, note="topic, consumer and reply"))
    elif ended_us is not None and gateway.number("reply_us") > 0:
        hops.append(Hop("reply", ended_us, replied_us, 1, True, note="from consumer to gateway"))
    return hops + _steps(replied_us, 1, [("answer", gateway.number("reply_us"), False, "protobuf to JSON")])[0]


def hops_of(request: Request) -> list[Hop]:
    hops = [] if request.proxy is None else [_proxy_hop(request.proxy)]
    for call in request.calls:
        hops += _call_hops(call)
    return hops
