"""The session check's verdicts, and Redis that restarts, is flushed or goes away."""

import secrets
import time
import uuid

import pytest

from servers.waiting import wait_until


class Session:
    def __init__(self, tag=None, account=None):
        self.tag = tag or secrets.token_hex(2)
        self.hash = secrets.token_hex(32)
        self.account = account or str(uuid.uuid4())
        self.name = self.tag + self.hash
        self.key = f"quire:{{{self.tag}}}:session:{self.hash}"
        self.revoked = f"quire:{{{self.tag}}}:revoked:{self.hash}"

    def values(self, idle_s=3600, lives_s=7200):
        return self.account, str(uuid.uuid4()), idle_s, int((time.time() + lives_s) * 1000), 0

    def put(self, trial, *note, **ends):
        assert trial.ask("call", "quire_session_put", 2, self.key, self.revoked, *self.values(**ends), *note) == "ok"
        return self


def warm_up(stack, trial):
    """What the session service's loader does."""
    trial.ask("healthy")  # the library is loaded by who connects first
    with stack.redis.connect() as redis:
        redis.fcall("quire_load_begin", 2, "quire:epoch", "{quire:epoch}:loading", "nonce")
        run_id = redis.info("server")["run_id"]
        assert redis.fcall("quire_epoch_set", 2, "quire:epoch", "{quire:epoch}:loading", "nonce", run_id) == 1
    assert trial.ask("healthy") == "healthy -"


@pytest.fixture
def warm(stack, trial):
    warm_up(stack, trial)
    return trial


def test_a_session_is_admitted_until_it_is_revoked_and_never_put_back(warm):
    session = Session().put(warm)
    verdict, account, watermark = warm.ask("check", session.name).split()[:3]
    assert (verdict, account, watermark) == ("admitted", session.account, "-")
    assert warm.ask("call", "quire_session_revoke", 2, session.key, session.revoked, 600) == "ok"
    assert warm.verdict("check", session.name) == "unauthenticated"
    session.put(warm)
    assert warm.verdict("check", session.name) == "unauthenticated"


def test_idle_and_absolute_ends(warm):
    idle, absolute = Session().put(warm, idle_s=1), Session().put(warm, lives_s=1.5)
    for _ in range(4):  # use keeps it
        time.sleep(0.4)
        assert warm.verdict("check", idle.name) == "admitted"
    assert warm.verdict("check", absolute.name) == "unauthenticated"
    time.sleep(1.2)
    assert warm.verdict("check", idle.name) == "unauthenticated"


def test_a_note_is_told_to_who_asks_for_it(stack, warm):
    """By the account's session alone, and in the answers of no other call."""
    session, plain = Session().put(warm, "noted"), Session().put(warm)
    assert warm.ask("note", session.name) == "admitted noted"
    assert warm.ask("note", plain.name) == "admitted -"
    assert warm.ask("note", Session().name) == "unauthenticated -"
    assert "noted" not in warm.ask("check", session.name)
    session.put(warm)  # as a process that knows no notes stores it again
    assert warm.ask("note", session.name) == "admitted noted"
    session.put(warm, "newer")
    assert warm.ask("note", session.name) == "admitted newer"
    assert warm.ask("call", "quire_session_revoke", 2, session.key, session.revoked, 600) == "ok"
    assert warm.ask("note", session.name) == "unauthenticated -"
    session.put(warm, "noted")
    with stack.redis.connect() as redis:
        assert not redis.exists(session.key)


@pytest.mark.parametrize("size, kept", [(1, True), (512, True), (513, False)])
def test_a_note_has_a_bound(warm, size, kept):
    session = Session().put(warm, "n" * size)
    assert warm.ask("note", session.name) == "admitted " + ("n" * size if kept else "-")


def test_who_is_refused_gets_no_note(warm):
    session = Session().put(warm, "noted")
    answers = {warm.ask("note", session.name) for _ in range(40)}
    assert answers == {"admitted noted", "limited -"}


def test_processes_of_before_notes_go_on_with_this_library(stack, warm):
    """Their calls have fewer arguments, and they take no answer that is longer than they know."""
    one, two = Session().put(warm, "noted"), Session()
    with stack.redis.connect() as redis:
        check = ["r", int(time.time() * 1000) + 1, 1, 1000, 100, 5]
        assert len(redis.fcall("quire_check", 1, one.key, *check)) == 6
        assert len(redis.fcall("quire_check", 1, one.key, *check, 0)) == 6
        assert redis.fcall("quire_check", 1, one.key, *check, 1)[6:] == [b"noted"]
        assert redis.fcall("quire_sessions_load", 4, one.key, one.revoked, two.key, two.revoked, *one.values(), *two.values()) == 2
        assert redis.hget(one.key, "note") == b"noted" and redis.hget(two.key, "note") is None
        assert redis.fcall("quire_sessions_load", 4, one.key, one.revoked, two.key, two.revoked, *one.values(), *two.values(), "", "late") == 2
        assert redis.hget(one.key, "note") == b"noted" and redis.hget(two.key, "note") == b"late"
        assert redis.hmget(two.key, "account", "idle_ms", "seen_ms")[:2] == [two.account.encode(), b"3600000"]


# As a library that knows no notes answers.
_OTHER_LIBRARY = """#!lua name=quire
redis.register_function('quire_check', function(keys) return {1, redis.call('HGET', keys[1], 'account'), '', 0, 0, 0} end)
redis.register_function{function_name = 'quire_library', callback = function() return {VERSION, 'another'} end, flags = {'no-writes'}}
"""


@pytest.mark.destructive
@pytest.mark.parametrize("version, stays", [(2, False), (99, True)])
def test_an_older_library_is_replaced_and_a_newer_one_left_alone(stack, warm, version, stays):
    """Until it is replaced, and where it is not, calls that want a note do without."""
    session = Session().put(warm, "noted")
    try:
        with stack.redis.connect() as redis:
            redis.function_load(_OTHER_LIBRARY.replace("VERSION", str(version)), replace=True)
            assert warm.ask("note", session.name) == "admitted -"
            assert warm.verdict("check", session.name) == "admitted"
            redis.client_kill_filter(_type="normal", skipme=True)
            wait_until(lambda: warm.verdict("check", session.name) == "admitted", what="it is connected again")
            assert warm.ask("note", session.name) == ("admitted -" if stays else "admitted noted")
    finally:
        with stack.redis.connect() as redis:
            redis.function_flush()
    wait_until(lambda: warm.ask("note", session.name) == "admitted noted", what="the library is loaded again")


def test_watermarks_only_rise_and_a_new_timeline_wins(warm):
    session = Session().put(warm)

    def raised(watermark):
        said = warm.ask("raise", session.tag, session.account, watermark)
        return said, warm.ask("check", session.name).split()[2]

    assert raised("7/1:000000000000000a") == ("ok", "7/1:000000000000000a")
    assert raised("7/1:0000000000000009") == ("ok", "7/1:000000000000000a")
    assert raised("7/1:f000000000000000") == ("ok", "7/1:f000000000000000")
    assert raised("7/2:0000000000000001") == ("ok", "7/2:0000000000000001")
    assert raised("7/1:ffffffffffffffff") == ("failed", "7/2:0000000000000001")
    assert raised("8/1:0000000000000002") == ("ok", "8/1:0000000000000002")


def test_places_are_given_back_or_lapse(warm):
    session = Session().put(warm)
    for i in range(5):
        assert warm.verdict("check", session.name, 700) == "admitted"
    refused = warm.ask("check", session.name, 700)
    assert refused.startswith("limited") and 'r=0' in refused and "concurrent-requests" in refused
    with_place = [f"r{i}" for i in range(30)]
    for request in with_place:
        warm.ask("release", session.tag, session.account, request)
    for i in range(5):
        assert warm.verdict("check", session.name, 700) == "admitted"
    assert warm.verdict("check", session.name, 700) == "limited"
    time.sleep(0.8)
    assert warm.verdict("check", session.name, 700) == "admitted"


def test_an_account_has_a_burst_and_a_rate(warm):
    session = Session().put(warm)
    answers = []
    for i in range(30):
        answers.append(warm.ask("check", session.name, 1))
        time.sleep(0.003)
    admitted = sum(answer.startswith("admitted") for answer in answers)
    assert 20 <= admitted <= 24
    assert '"account";q=20;w=2' in answers[0] and '"account";r=19;t=1' in answers[0]
    assert any(answer.startswith("limited") and '"account";r=0' in answer for answer in answers)


def test_unknown_tokens_count_against_their_address(warm):
    verdicts = [warm.verdict("check", Session().name) for _ in range(14)]
    assert verdicts[:10] == ["unauthenticated"] * 10 and "limited" in verdicts[10:]


def test_log_ins_are_throttled_for_one_account_from_one_address(warm):
    def attempt(client="198.51.100.1", tag="abcd"):
        return warm.ask("public", "log_in", client, tag).split()[:4]

    assert [attempt()[0] for _ in range(4)] == ["admitted"] * 3 + ["limited"]
    assert attempt()[3] != "0"
    assert attempt(client="198.51.100.2")[0] == "admitted"  # a stranger's failures lock nobody out
    assert attempt(tag="abce")[0] == "admitted"
    assert [attempt(client=f"2001:db8::{i}", tag="0001")[0] for i in range(4)] == ["admitted"] * 3 + ["limited"]


def test_a_success_gives_its_attempt_back(warm):
    key = "quire:{addr:198.51.100.9}:log_in:abcd"
    for _ in range(9):
        assert warm.verdict("public", "log_in", "198.51.100.9", "abcd") == "admitted"
        assert warm.ask("call", "quire_log_in_succeeded", 1, key) == "ok"
        time.sleep(0.1)


def test_registrations_have_a_burst(warm):
    verdicts = [warm.verdict("public", "registration", "198.51.100.3", "0000") for _ in range(6)]
    assert verdicts == ["admitted"] * 4 + ["limited"] * 2


@pytest.mark.destructive
def test_a_flush_is_no_401(stack, warm):
    session = Session().put(warm)
    assert warm.verdict("check", session.name) == "admitted"
    with stack.redis.connect() as redis:
        redis.flushall()
    assert warm.verdict("check", session.name) == "away"
    assert warm.verdict("check", session.name) == "away"
    assert warm.ask("healthy").startswith("unhealthy")
    warm_up(stack, warm)
    assert warm.verdict("check", session.name) == "unauthenticated"
    session.put(warm)
    assert warm.verdict("check", session.name) == "admitted"


@pytest.mark.destructive
def test_a_flush_of_the_library_mends_itself(stack, warm):
    session = Session().put(warm)
    with stack.redis.connect() as redis:
        redis.function_flush()
    wait_until(lambda: warm.verdict("check", session.name) == "admitted", what="the library is loaded again")


@pytest.mark.destructive
def test_a_restarted_redis_is_cold_whatever_its_file_holds(stack, warm):
    session = Session().put(warm)
    assert warm.verdict("check", session.name) == "admitted"
    stack.redis.stop()
    began = time.monotonic()
    assert {warm.verdict("check", session.name) for _ in range(20)} == {"away"}
    assert time.monotonic() - began < 1
    stack.redis.start()
    wait_until(lambda: warm.ask("healthy") == "unhealthy sessions are being loaded", what="Redis is back, and cold")
    with stack.redis.connect() as redis:
        assert redis.exists(session.key) == 1
    assert warm.verdict("check", session.name) == "away"
    warm_up(stack, warm)
    session.put(warm)
    assert warm.verdict("check", session.name) == "admitted"


@pytest.mark.destructive
def test_a_frozen_redis_costs_its_bound_once(stack, warm):
    session = Session().put(warm)
    assert warm.verdict("check", session.name) == "admitted"
    stack.redis.pause()
    began = time.monotonic()
    assert warm.verdict("check", session.name) == "away"
    assert time.monotonic() - began < 0.8
    began = time.monotonic()
    assert {warm.verdict("check", session.name) for _ in range(20)} == {"away"}
    assert time.monotonic() - began < 0.5
    stack.redis.resume()
    wait_until(lambda: warm.verdict("check", session.name) == "admitted", what="sessions are checked again")


def test_a_flush_during_a_load_makes_it_begin_anew(stack, warm):
    with stack.redis.connect() as redis:
        redis.fcall("quire_load_begin", 2, "quire:epoch", "{quire:epoch}:loading", "one")
        redis.flushall()
        assert redis.fcall("quire_epoch_set", 2, "quire:epoch", "{quire:epoch}:loading", "one", "x") == 0
    warm_up(stack, warm)
