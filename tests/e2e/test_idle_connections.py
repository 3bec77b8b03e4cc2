"""A backend that was restarted while nobody asked: no later request has to find out by failing."""

import pytest

from servers.waiting import wait_until

pytestmark = pytest.mark.destructive


def test_redis_restarted_in_a_quiet_moment(stack, account):
    assert account.get("/documents").status_code == 200
    logged = [(service, service.log_size()) for service in (stack.session, stack.documents)]
    stack.redis.restart()
    # Loaded again, by the session service, and every worker of both services is connected anew, though nobody has asked it anything.
    wait_until(lambda: all(len(service.log_lines('"redis.connected"', start)) >= 2 for service, start in logged), 15,
               "idle workers connect by themselves")
    wait_until(lambda: account.get("/auth/me").status_code == 200, 15, "sessions are loaded again")
    statuses = [account.get(path).status_code for _ in range(24) for path in ("/auth/me", "/documents")]
    assert set(statuses) == {200}, statuses
