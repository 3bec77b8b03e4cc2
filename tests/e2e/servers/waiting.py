"""Waiting for something to become true: the only way in which a test may let time pass."""

import os
import time

# Sanitizer builds are several times slower; every bound of a wait is stretched by this.
PATIENCE = float(os.environ.get("QUIRE_PATIENCE", "4" if "san" in os.environ.get("QUIRE_BUILD", "") else "1"))


class GivenUp(AssertionError):
    """Raised by a condition that can never become true any more."""


def wait_until(condition, seconds=10.0, what=None, every=0.02):
    """Calls `condition` until it returns something true, and returns that. Exceptions count as "not yet"; the last one is the cause
    of the AssertionError that ends a wait in vain."""
    deadline = time.monotonic() + seconds * PATIENCE
    last = None
    while True:
        try:
            value = condition()
            if value:
                return value
            last = None
        except GivenUp:
            raise
        except Exception as error:  # noqa: BLE001 - a server that is still starting may fail in any way
            last = error
        if time.monotonic() >= deadline:
            what = what or getattr(condition, "__name__", "condition")
            raise AssertionError(f"not within {seconds * PATIENCE:.1f} s: {what} (last: {last!r})") from last
        time.sleep(every)


def stays_true(condition, seconds, what=None, every=0.02):
    """Asserts that `condition` is true now and for `seconds` more."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert condition(), what or "stopped being true"
        time.sleep(every)
