"""The timeline out of log lines: grouping, hops, words, and that a line can do nothing to a terminal. Lines as real runs have written them."""

import json
import pathlib
import subprocess
import sys

import pytest

from cli.tracing import lines, notes, slow, story, text

T0 = lines.us_of("2026-11-21T14:05:41.000000Z")


def line(event, at_ms, source="gateway-1", **fields):
    """One line as it stands in a log, `at_ms` after T0."""
    at_us = T0 + round(at_ms * 1000)
    time = f"2026-11-21T14:{5 + at_us // 60_000_000 - T0 // 60_000_000:02}:{at_us // 1_000_000 % 60:02}.{at_us % 1_000_000:06}Z"
    return source, json.dumps({"time": time, "level": "info", "event": event, "service": "x", "request_id": "r", **fields}) + "\n"


def done(at_ms, ms, call="c1", status=200, reply_us=20, **fields):
    wait_us = round(ms * 1000) - 130 - reply_us
    return line("request.done", at_ms, **({"call": call} if call else {}), **{
        "method": "GET", "route": "/documents", "status": status, "ms": ms, "parse_us": 30, "queue_us": 0, "produce_us": 100, "wait_us": wait_us,
        "reply_us": reply_us, "bytes": 5, **fields})


def handled(at_ms, call="c1", event="request.handled", source="documents-1", **fields):
    return line(event, at_ms, source, **{
        "call": call, "method": "quire.Documents/List", "status": 200, "topic": "quire.documents.read", "partition": 5, "offset": 7, "batch": 14, "attempt": 1,
        "topic_wait_ms": 2, "decode_us": 50, "check_us": 300, "sql_us": 4000, "flush_us": 0, "publish_us": 150, "total_us": 4600, "server": "replica-1",
        "statements": 1, "own_sql_us": 3100, **fields})


def proxied(at_ms, ms, **fields):
    return line("proxy.request", at_ms, "proxy-1", **{"method": "GET", "status": 200, "us": round(ms * 1000), "connect_ms": 0, "wait_ms": 1,
                                                      "gateway": "gateway-2", "retries": "0", "termination": "----", **fields})


def requests_of(*texts):
    found, more = lines.of_requests(texts, {"r"})
    assert not more
    return story.requests_of(found)


def only(*texts):
    request, = requests_of(*texts)
    return request


def hops_of(*texts):
    return {hop.name: hop for hop in story.hops_of(only(*texts)) if not (hop.name == "produce" and hop.depth == 2)}


def words_of(*texts):
    return " | ".join(notes.notes_of(only(*texts)))


def test_hops_follow_one_another_whatever_the_order_of_the_lines():
    usual = [proxied(21, 12), done(20, 10), handled(17)]
    for texts in (usual, usual[::-1]):
        hops = hops_of(*texts)
        assert list(hops) == ["proxy", "gateway", "parse", "produce", "topic", "consumer", "decode", "session check", "handler, SQL", "publish", "reply", "answer"]
        begun = {name: (hop.begin_us - T0) / 1000 for name, hop in hops.items()}
        assert (begun["proxy"], begun["gateway"], begun["topic"], begun["consumer"]) == (9, 10, 10.13, 12.4)
        assert (hops["topic"].ms, round(hops["reply"].ms, 3), hops["answer"].ms) == (2.27, 2.98, 0.02)
        assert hops["topic"].waits and not hops["consumer"].waits
        assert hops["handler, SQL"].note == "replica-1: own 1 statement 3.1 ms" and hops["consumer"].note == "batch of 14"
    assert words_of(*usual) == ""


def test_calls_of_one_id_are_requests_of_their_own():
    first, second = requests_of(done(20, 10), handled(17), done(60, 10, call="c2"), handled(57, call="c2"), proxied(61, 12), proxied(21, 12))
    for request, end_ms in ((first, 21), (second, 61)):
        assert request.proxy.at_us == T0 + end_ms * 1000 and len(request.calls) == 1 and len(request.calls[0].deliveries) == 1


def test_two_gateways_asked_by_one_proxy_are_one_request():
    request = only(done(1000, 900, call="c1", status=504, reply_us=0, deadline_ms=900), done(1020, 10, call="c2"), handled(1017, call="c2"),
                   proxied(1021, 930, retries="+1"))
    words = " | ".join(notes.notes_of(request))
    assert len(request.calls) == 2 and "1 more attempts" in words and "2 gateways were asked" in words


def test_what_was_not_as_usual_is_told():
    late = done(500, 400, status=504, reply_us=0, deadline_ms=400)
    assert "answered 504 by the gateway at the deadline of 400 ms" in words_of(late) and "no consumer has a line" in words_of(late)
    assert "took it 23 ms after its deadline" in words_of(late, handled(523, event="request.deadline_exceeded", status=0, late_ms=23))
    assert "(201) came 120.0 ms after the answer" in words_of(late, handled(619), line("reply.late", 620, call="c1", status=201))
    assert "a second reply (200) came" in words_of(done(20, 10), handled(17), line("reply.late", 40, call="c1", status=200))
    assert "attempt 2 at quire.documents.read, partition 5, offset 7" in words_of(done(20, 10), handled(17, attempt=2))
    assert "was handled 2 times" in words_of(done(20, 10), handled(17), handled(19))
    assert "tried 3 times of at most 3" in words_of(done(20, 10), handled(17, retries=2))
    assert "kept" in words_of(done(20, 10), handled(17, kept=True)) and "folded" in words_of(done(20, 10), handled(17, folded=True))
    dead = line("request.dead_letter", 18, "documents-1", call="c1", reason="failed", topic="quire.documents.write", partition=6, offset=1)
    assert "failed three times (failed); kept on quire.documents.write-dlt, from partition 6, offset 1" in words_of(done(20, 10, status=500), handled(17, status=500), dead)
    assert "answered 503 by the gateway itself" in words_of(done(20, 1, call=None, status=503))
    assert "answered 503 by the proxy" in words_of(proxied(20, 3000, status=503, gateway="<NOSRV>", termination="SC--"))
    assert "came past the gateways" in words_of(handled(17))
    assert "the consumer said 200, the caller was told 500" in words_of(done(20, 10, status=500), handled(17))


def test_lines_that_are_none_are_passed_over():
    broken = [("kafka-1", 'started "r"\n'), ("x", '{"time":"2026-11-21T14:05:41","request_id":"r"\n'), ("x", '{"time":"never","event":"e","request_id":"r"}\n'),
              ("x", '{"time":"2026-11-21T14:05:41.1","event":"no zone","request_id":"r"}\n'), ("x", '["r"]\n'), ("x", '{"time":1,"event":"e","request_id":"r"}\n'),
              ("x", '{"time":"2026-11-21T14:05:41.1Z","event":"e","request_id":"another","client":"r"}\n')]
    assert len(requests_of(*broken, done(20, 10))) == 1 and requests_of(*broken) == []


def test_fields_of_another_kind_than_expected_break_nothing():
    odd = line("request.handled", 17, call="c1", topic=5, partition=None, batch="many", total_us="x", server=None, statements=[], retries={})
    for texts in ([odd], [done(20, 10), odd], [line("request.done", 20, call=7, status="ok")], [line("proxy.request", 3)], [line("note", 3, n=1)]):
        for request in requests_of(*texts):
            assert text.render(request, text.Style(80, False, True)) and json.dumps(text.as_json(request))


def test_the_container_that_compose_names_is_the_source():
    _, plain = done(20, 10)
    for prefix in ("gateway-2  | ", "\x1b[2Kgateway-2  | "):
        assert lines.parse(prefix + plain, "stdin").source == "gateway-2"
    assert lines.parse(plain, "stdin").source == "stdin"


def test_a_line_can_do_nothing_to_the_terminal():
    evil = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp\r"
    rendered = text.render(only(done(20, 10, route=evil), handled(17, source=evil, method=evil, topic=evil), line("own.event", 19, source=evil, what=evil, call="c1")),
                           text.Style(200, False, True))
    assert "own.event" in rendered and not any(c in rendered for c in "\x1b\x07\x9b\u202e\r")


def test_rows_are_aligned_and_fit_the_terminal():
    request = only(proxied(21, 12), done(20, 10), handled(17))
    for width in (60, 80, 100, 200):
        for unicode in (True, False):
            style = text.Style(width, False, unicode)
            rows = text.render(request, style).splitlines()[2:]
            assert all(len(row) <= width for row in rows), max(rows, key=len)
            assert all(row[29:31] == "  " for row in rows) and unicode != all(row.isascii() for row in rows)


def test_nothing_is_cut_off_a_terminal():
    request = only(done(20, 10), handled(17, server="a-replica-with-a-long-name"), line("own.event", 19, call="c1", what="w" * 200))
    rendered = text.render(request, text.Style(60, False, True, cuts=False))
    assert "a-replica-with-a-long-name: own 1 statement 3.1 ms" in rendered and "w" * 200 in rendered and "…" not in rendered


@pytest.fixture
def traces(tmp_path):
    """Runs trace over the lines of one request, `r`."""
    (tmp_path / "gateway-1.log").write_text("".join(text for _, text in (done(20, 10), handled(17))))

    def run(*words):
        return subprocess.run([sys.executable, "-m", "cli.trace", "--logs", str(tmp_path), *words], cwd=pathlib.Path(__file__).parents[3], text=True,
                              capture_output=True)

    return run


def test_an_id_without_lines_is_told_beside_those_that_have_some(traces):
    both = traces("r", "nobodys")
    assert both.returncode == 1 and "GET /documents" in both.stdout and "names the request nobodys." in both.stderr
    assert traces("nobodys").returncode == 1
    assert (traces("r").returncode, traces("r").stderr) == (0, "")
    assert (traces("r", "--also", "nobodys").returncode, traces("r", "--also", "nobodys").stderr) == (0, "")


def test_wrong_arguments_of_trace_are_status_2(traces):
    for words in ((), ("--slow", "r"), ("--top", "0", "--slow"), ("r", "--since", "soon")):
        assert traces(*words).returncode == 2


def test_bars_stand_where_their_time_is():
    style = text.Style(100, False, False)
    bar = lambda begin, end, waits=False: text.bar(story.Hop("x", begin, end, waits=waits), 0, style.bar_width, style)  # noqa: E731
    assert bar(0, style.bar_width) == "#" * style.bar_width
    assert bar(3, 6) == "   ###" and bar(3, 6, True) == "   ..."
    assert bar(5.0, 5.1) == "     |" and bar(style.bar_width, style.bar_width) == " " * (style.bar_width - 1) + "#"


def test_the_slowest_are_found_in_one_pass():
    texts = [done(1000 * i, i, call=f"c{i}") for i in range(1, 50)] + [handled(1000 * i - 1, call=f"c{i}", total_us=1000 * i) for i in range(1, 50)]
    found = slow.slowest(texts, 3)
    assert [request.calls[0].gateway.number("ms") for request in found] == [49, 48, 47]
    assert all(len(request.calls[0].deliveries) == 1 for request in found)
    assert slow.slowest(texts, 3, since_us=T0 + 10**9) == []
    assert "handler, SQL 4.0" in slow.render(found, text.Style(200, False, True))


def test_more_lines_of_one_id_than_are_looked_at_are_told():
    texts = (done(i / 100, 0.2, call=f"c{i}") for i in range(lines.LINES_MAX + 1))
    found, more = lines.of_requests(texts, {"r"})
    assert more and len(found) == lines.LINES_MAX
