"""A host that is gone without a word: what its connections held is given back in time."""

import os
import time

import pytest

from servers.firewall import Firewall
from servers.waiting import stays_true, wait_until

pytestmark = pytest.mark.destructive

# compose/postgres/postgresql.conf: tcp_user_timeout, or keepalives of 5 + 3 x 2 s.
_NOTICED_S = 12
_RELAY = """SELECT a.pid, a.client_port FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND a.application_name LIKE 'quire.documents.%'"""


def waiting_events(stack):
    return stack.primary.query("SELECT count(*) FROM documents.outbox")[0][0]


def relay(stack):
    (pid, port), = stack.primary.query(_RELAY)
    return pid, port


@pytest.mark.parametrize("with_an_answer_under_way", [False, True], ids=["idle", "with an answer under way"])
def test_its_advisory_lock_falls_to_who_is_left(stack, account, with_an_answer_under_way):
    """One process relays events, whoever holds the lock, and its host loses its network. Where an answer to it is on the way, TCP sends that
    again for a quarter of an hour, unless it is told not to, and no keepalive is sent meanwhile."""
    pid, port = wait_until(lambda: relay(stack), 10, "somebody relays events")
    with Firewall(f"quire_e2e_{os.getpid()}") as firewall:
        if with_an_answer_under_way:
            firewall.drop(stack.primary.port, port)
            time.sleep(0.3)  # six turns of the relay: it has asked, and waits for the answer
        firewall.drop(port, stack.primary.port)
        firewall.drop(stack.primary.port, port)
        vanished = time.monotonic()
        stack.documents.kill()
        stack.documents.start()
        account.create()
        stays_true(lambda: relay(stack)[0] == pid and waiting_events(stack) > 0, 1, "the lock fell at once: the host didn't vanish")
        wait_until(lambda: waiting_events(stack) == 0, _NOTICED_S + 5, "another process relays")
        print(f"after {time.monotonic() - vanished:.1f} s")
        assert relay(stack)[0] != pid
