"""Processes of a service come and go: nobody waits long for a partition that changes hands."""

import pytest

from servers.waiting import PATIENCE
from ticker import Ticker

# A caller may allow half of the default deadline: 2.5 s.
_WAIT_S_MAX = 2.0 * PATIENCE


@pytest.fixture
def second(stack):
    """A further process of documents, not started."""
    server = stack._service("documents-2", "documents")
    stack.add(server)
    yield server
    if server.alive:
        server.stop()
    stack.remove(server)


@pytest.mark.destructive
@pytest.mark.parametrize("lane", ["read", "write"])
def test_no_partition_waits_while_a_process_comes_restarts_and_goes(stack, contract, second, lane):
    """One joins while all partitions are taken, leaves as soon as the group has settled, comes back at once, and goes for good."""
    with Ticker(stack.kafka.brokers, contract, lane, control=True) as ticker:
        began = ticker.wait_answered()
        second.start()
        second.stop()
        second.start()
        ticker.wait_answered()
        second.stop()
        ticker.wait_answered()
        slowest, own = ticker.slowest(began), ticker.own_delay(began)
    assert slowest[0] - own < _WAIT_S_MAX, f"partitions waited {', '.join(f'{wait:.2f}' for wait in slowest)} s, the machine itself {own:.2f} s"
    assert 0 < own, "the control was not asked"
