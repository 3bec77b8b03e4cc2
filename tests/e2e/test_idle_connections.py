"""A backend that was restarted while nobody asked: no later request has to find out by failing."""

import pytest

from servers.waiting import wait_until

pytestmark = pytest.mark.destructive


def connections(service):
    return service.metrics().sum("quire_redis_connections")


def reconnects(service):
    return service.metrics().sum("quire_redis_reconnects_total")


def test_redis_restarted_in_a_quiet_moment(stack, account):
    services = (stack.session, stack.documents)
    before = {service: (connections(service), reconnects(service)) for service in services}
    stack.redis.restart()

    # Every worker connects by itself, though nobody has asked it anything.
    def connected_anew():
        return all(connections(service) == open_then and reconnects(service) >= tries_then + open_then
                   for service, (open_then, tries_then) in before.items())

    wait_until(connected_anew, 15, "idle workers connect by themselves")
    wait_until(lambda: account.get("/auth/me").status_code == 200, 15, "sessions are loaded again")
    statuses = [account.get(path).status_code for _ in range(24) for path in ("/auth/me", "/auth/sessions", "/documents")]
    assert set(statuses) == {200}, statuses
