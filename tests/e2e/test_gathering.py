"""Requests among others wait a moment in the gateway's producer for each other; one alone waits for nobody."""

from concurrent.futures import ThreadPoolExecutor

import pytest

pytestmark = pytest.mark.gateway

CALLERS = 40  # over a gateway's rings


def gathered(gateway):
    return gateway.metrics().sum("quire_kafka_gathered_total")


def all_at_once(account):
    with ThreadPoolExecutor(CALLERS) as pool:
        return [answer.status_code for answer in pool.map(lambda _: account.get("/documents"), range(10 * CALLERS))]


def test_one_caller_waits_for_nobody(stack, account):
    before = gathered(stack.gateway)
    assert all(account.get("/documents").status_code == 200 for _ in range(20))
    assert gathered(stack.gateway) == before


@pytest.mark.destructive  # a gateway with a setting of its own: on a quick machine replies may come too soon for a wait of 1 ms
def test_several_callers_go_together_and_each_is_answered(stack, account):
    stack.gateway.overrides["QUIRE_GATEWAY_GATHER_US"] = "100"
    stack.restart(stack.gateway)
    assert set(all_at_once(account)) == {200}
    assert gathered(stack.gateway) > 0


@pytest.mark.destructive  # a gateway with a setting of its own
def test_it_can_be_off(stack, account):
    stack.gateway.overrides["QUIRE_GATEWAY_GATHER_US"] = "0"
    stack.restart(stack.gateway)
    assert set(all_at_once(account)) == {200}
    assert gathered(stack.gateway) == 0
