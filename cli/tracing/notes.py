"""What is to be told about a request in plain words: who refused it, what was late, retried, delivered again or put aside."""

from collections.abc import Iterator

from cli.tracing.lines import Line
from cli.tracing.story import Call, Request

_DEAD_LETTERS = {
    "bad-headers": "its headers can't be read",
    "unknown-method": "the service has no such call",
    "bad-payload": "its value can't be read",
    "failed": "it failed three times",
    "unanswered": "its handler answered nothing",
    "crashed": "it was being handled in two crashes",
}
# HAProxy's manual, 8.5 "Session state at disconnection": the two letters that say who ended it, and where.
_TERMINATIONS = {"S": "the gateway's side ended it", "C": "the client left", "P": "the proxy refused it", "s": "the gateway took too long", "c": "the client took too long"}


def notes_of(request: Request) -> list[str]:
    notes = list(_proxy_notes(request))
    for call in request.calls:
        notes += [*_gateway_notes(call), *_delivery_notes(call), *_other_notes(call)]
    return notes


def _proxy_notes(request: Request) -> Iterator[str]:
    proxy = request.proxy
    if proxy is None:
        return
    if retries := proxy.text("retries").lstrip("+"):
        if retries != "0":
            yield f"retried by the proxy: {retries} more attempts to reach a gateway"
    if len([call for call in request.calls if call.gateway is not None]) > 1:
        yield f"retried by the proxy: {len(request.calls)} gateways were asked one after the other"
    letters = proxy.text("termination")
    if letters[:1] in _TERMINATIONS:
        yield f"cut short: {_TERMINATIONS[letters[0]]} ({letters})"
    if not request.calls:
        yield f"answered {int(proxy.number('status'))} by the proxy: no gateway has a line about it"


def _gateway_notes(call: Call) -> Iterator[str]:
    gateway = call.gateway
    if gateway is None:
        yield "no gateway has a line about it: it came past the gateways, wasn't sampled there, or the gateway ended first"
        return
    status = int(gateway.number("status"))
    if call.sent_us is None:
        if status >= 400:
            yield f"answered {status} by the gateway itself: nothing was sent to a topic"
    elif status == 504 and gateway.number("reply_us") == 0:
        yield f"late: answered 504 by the gateway at the deadline of {int(gateway.number('deadline_ms'))} ms"
        if not call.deliveries:
            yield "no consumer has a line about it: none took it yet, or the one that did was killed"
    elif not call.deliveries:
        yield "no consumer has a line about it: its process was killed, it isn't Quire's runtime, or it samples otherwise"


def _delivery_notes(call: Call) -> Iterator[str]:
    seen: dict[tuple, int] = {}
    for line in call.deliveries:
        place = f"{line.text('topic')}, partition {int(line.number('partition'))}, offset {int(line.number('offset'))}"
        seen[place] = seen.get(place, 0) + 1
        attempt, retries = int(line.number("attempt")), int(line.number("retries"))
        if attempt > 1:
            yield f"redelivered: attempt {attempt} at {place}; its consumer had ended before it committed the offset"
        elif seen[place] > 1:
            yield f"redelivered: {place} was handled {seen[place]} times; a write has one effect all the same"
        if retries:
            yield f"retried: a statement met a conflict or failed, and was tried {retries + 1} times of at most 3"
        if line.fields.get("folded") is True:
            yield "folded: an equal read of the same batch was answered for both"
        if line.fields.get("kept") is True:
            yield "repeated: its effect was there already, so nothing was done again and the answer is the one that was kept"
        if line.event == "request.deadline_exceeded":
            late = line.number("late_ms")
            yield f"late: the consumer took it {late:.0f} ms after its deadline and dropped it" if late else "late: its deadline passed in the consumer, which dropped it"
        elif call.gateway is not None and line.number("status") != call.gateway.number("status") and call.gateway.number("status") != 504:
            yield f"the consumer said {int(line.number('status'))}, the caller was told {int(call.gateway.number('status'))}"
    if len({(line.fields.get("topic"), line.fields.get("partition"), line.fields.get("offset")) for line in call.deliveries}) > 1:
        yield "sent twice: its message stands at several places of the topic; a write has one effect all the same"


def _other_notes(call: Call) -> Iterator[str]:
    for line in call.others:
        if line.event == "request.dead_letter":
            reason = line.text("reason")
            yield (f"dead-lettered: {_DEAD_LETTERS.get(reason, reason)} ({reason}); kept on {line.text('topic')}-dlt, "
                   f"from partition {int(line.number('partition'))}, offset {int(line.number('offset'))}")
        elif line.event == "reply.late":
            yield _late_reply(call, line)
        elif line.event == "reply.lost":
            yield f"its reply was lost: {line.text('error')}"


def _late_reply(call: Call, line: Line) -> str:
    status = int(line.number("status"))
    if call.gateway is None:
        return f"a reply ({status}) came and met nobody"
    after_ms = (line.at_us - call.gateway.at_us) / 1000
    if call.gateway.number("reply_us") > 0:
        return f"a second reply ({status}) came {after_ms:.1f} ms after the answer and was dropped"
    return f"late: the reply ({status}) came {after_ms:.1f} ms after the answer and met nobody"
