"""The oracle and the report find what they are there for: each test breaks one promise in a journal that is whole otherwise."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import oracle  # noqa: E402
import report  # noqa: E402
from account_book import Change  # noqa: E402
from faults import Fault  # noqa: E402
from journal import Journal, Reader, Request  # noqa: E402
from oracle import CREATED, DELETED, UPDATED  # noqa: E402
from person import marker_of  # noqa: E402


def request(identity, kind, write=None, status=200, sent_at=0.0, seconds=0.1, **more):
    return Request(id=identity, client=0, kind=kind, account="a@example.org", deadline_s=2.5, sent_at=sent_at, write=write, ended_at=sent_at + seconds,
                   status=status, **more)


@pytest.fixture
def whole():
    """Two documents: one made, changed by a request that was asked twice, and read; one made and deleted; and a write without an answer."""
    requests = [request("r0", "register", "a@example.org", 201), request("r1", "create", "w1", 201, answer={"id": "d1", "version": 1}),
                request("r2", "update", "w2", 504, key="k"), request("r3", "update", "w2", 200, key="k", answer={"id": "d1", "version": 2}),
                request("r4", "create", "w4", 201, answer={"id": "d2", "version": 1}), request("r5", "delete", "w5", 204), request("r6", "create", "w6", None)]
    events = [Change(1, CREATED, "d1", 1, "r1"), Change(2, UPDATED, "d1", 2, "r2"), Change(2, UPDATED, "d1", 2, "r2"), Change(3, CREATED, "d2", 1, "r4"),
              Change(4, DELETED, "d2", 1, "r5")]
    return {"requests": requests, "events": events, "documents": {"a@example.org": {"d1": (2, marker_of("w2"))}}, "registered": {"a@example.org": 1}}


def test_nothing_is_found_where_nothing_is_wrong(whole):
    assert oracle.judge(**whole).faults == []


def test_an_unanswered_write_may_have_happened_once(whole):
    whole["events"].append(Change(5, CREATED, "d3", 1, "r6"))
    whole["documents"]["a@example.org"]["d3"] = (1, marker_of("w6"))
    assert oracle.judge(**whole).faults == []


def test_a_lost_write_is_found(whole):
    del whole["events"][3:]
    assert oracle.judge(**whole).lost.keys() == {"w4", "w5"}


def test_a_write_whose_event_is_there_and_whose_document_is_not_is_lost(whole):
    whole["documents"]["a@example.org"] = {}
    assert oracle.judge(**whole).lost.keys() == {"w2"}


def test_a_deleted_document_that_is_there_is_found(whole):
    whole["documents"]["a@example.org"]["d2"] = (1, marker_of("w4"))
    assert oracle.judge(**whole).faults


def test_a_write_that_happened_twice_is_found(whole):
    whole["events"].append(Change(5, UPDATED, "d1", 3, "r3"))
    assert oracle.judge(**whole).doubled.keys() == {"w2"}


def test_an_unanswered_write_that_happened_twice_is_found(whole):
    for number in (3, 4):
        whole["events"].append(Change(2 + number, CREATED, f"d{number}", 1, "r6"))
        whole["documents"]["a@example.org"][f"d{number}"] = (1, marker_of("w6"))
    assert oracle.judge(**whole).doubled.keys() == {"w6"}


@pytest.mark.parametrize("order", [[1, 0], [1]])
def test_events_out_of_order_and_with_gaps_are_found(whole, order):
    whole["events"] = [whole["events"][place] for place in order]
    assert any("was to come" in fault for fault in oracle.judge(**whole).other)


def test_a_change_that_nobody_asked_for_is_found(whole):
    whole["events"].append(Change(5, CREATED, "d9", 1, "somebody"))
    assert any("asked for no change" in fault for fault in oracle.judge(**whole).other)


def test_a_document_with_another_writes_text_is_found(whole):
    whole["documents"]["a@example.org"]["d1"] = (2, marker_of("w1"))
    assert oracle.judge(**whole).faults


@pytest.mark.parametrize("accounts, found", [(0, "lost"), (2, "doubled")])
def test_accounts_are_counted(whole, accounts, found):
    whole["registered"] = {"a@example.org": accounts}
    assert getattr(oracle.judge(**whole), found).keys() == {"a@example.org"}


def figures(requests, own_delay=0.0, mark=10.0, whole_at=10.0, returning=10.0, **fault):
    window = report.Window(Fault("a fault", None, 3.0, **fault), 1.0, mark, 20.0, whole_at, returning, requests)
    return report.Figures(window, oracle.Verdict(), lambda begin, end: own_delay)


@pytest.mark.parametrize("seconds, own_delay, broken", [(3.4, 0.0, 0), (3.6, 0.0, 1), (3.6, 0.2, 0)])
def test_late_is_the_deadline_a_second_and_the_clients_own_delay(seconds, own_delay, broken):
    assert len(figures([request("r", "get", seconds=seconds)], own_delay).broken) == broken


def test_silence_counts_from_the_proxys_return_only_while_it_is_away():
    slow = [request("r", "get", status=None, sent_at=2.0, seconds=11.0, error="TimeoutError")]
    assert figures(slow, proxy_away=True).broken == []
    assert any("no answer" in what for what in figures(slow).broken)


def test_what_is_under_way_when_the_next_fault_strikes_belongs_to_that_one():
    before, across = request("r1", "get", sent_at=9.0), request("r2", "get", sent_at=9.8, seconds=11.0)
    window = report.Window(Fault("a fault", None, 3.0), 1.0, 5.0, 10.0, 5.0, 5.0, [before, across])
    following = report.Window(Fault("the proxy is stopped", None, 3.0, proxy_away=True), 10.0, 20.0, 25.0, 20.0, 20.0, [before, across])
    report.hand_over(window, following)
    assert window.requests == [before] and following.requests == [before, across]


def test_a_fault_concerns_what_was_sent_just_before_it_and_whatever_is_under_way(tmp_path):
    reader = Reader(str(tmp_path / "journal"))
    sent = {"long over": (7.0, 0.1), "hangs": (7.0, 11.0), "just before": (9.5, 0.1), "during": (12.0, 0.1), "after": (20.0, 0.1)}
    reader.requests = {name: request(name, "get", sent_at=at, seconds=seconds) for name, (at, seconds) in sent.items()}
    assert [each.id for each in reader.concerning(10.0, 9.0, 20.0)] == ["hangs", "just before", "during"]


@pytest.mark.parametrize("whole_at, missed", [(12.9, 0), (13.1, 1)])
def test_recovery_has_a_bound(whole_at, missed):
    assert len(figures([], whole_at=whole_at).missed) == missed


def test_a_stack_that_is_never_whole_again_is_broken():
    assert len(figures([], whole_at=None).broken) == 1


def test_what_a_known_absence_does_not_concern_goes_on_and_the_rest_is_refused_at_once():
    served, refused = request("r1", "get", sent_at=5.0), request("r2", "create", "w", 503, sent_at=5.0, seconds=0.05)
    assert figures([served, refused], known_s=1.5, goes_on=frozenset({"get"})).missed == []
    assert figures([request("r1", "get", status=503, sent_at=5.0, seconds=0.05)], known_s=1.5, goes_on=frozenset({"get"})).missed
    assert figures([request("r2", "create", "w", 503, sent_at=5.0, seconds=0.3)], known_s=1.5).missed
    few = [request(f"r{n}", "create", "w", 503, sent_at=5.0, seconds=0.01 if n else 0.3) for n in range(11)]
    assert figures(few, known_s=1.5).missed == []
    assert figures(few + [request("r11", "create", "w", 504, sent_at=5.0, seconds=0.01)], known_s=1.5).missed
    assert figures([request("r2", "create", "w", 503, sent_at=5.0, seconds=0.3)]).missed == []
    assert figures([request("r2", "create", "w", 503, sent_at=5.0, seconds=0.3)], returning=4.9, known_s=1.5).missed == []


def test_not_one_request_may_fail_where_none_may():
    assert figures([request("r", "get", status=503)]).missed == []
    assert len(figures([request("r", "get", status=503)], no_failure=True).missed) == 1
    assert figures([request("r", "get")], no_failure=True).missed == []


def test_a_journal_is_read_as_far_as_it_is_written(tmp_path):
    path = str(tmp_path / "journal")
    journal, reader = Journal(path), Reader(path)
    journal.sent(request("r1", "get", status=None))
    assert reader.poll().requests["r1"].status is None
    journal.ended(request("r1", "get"))
    with open(path, "ab") as file:
        file.write(b'["sent",{"id"')
    assert reader.poll().requests["r1"].status == 200 and len(reader.requests) == 1
