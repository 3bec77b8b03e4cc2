#!/usr/bin/env python3
"""How long one partition of a lane goes unanswered while its group changes: each partition is asked all the time, and the slowest answer tells.

    pauses.py                     each change three times
    pauses.py --rounds 10 --only restart
    pauses.py --lane write"""

import argparse
import os
import re
import statistics
import sys
import time

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e")]

from servers.service import Service  # noqa: E402
from servers.stack import Stack  # noqa: E402
from ticker import LANES, Ticker  # noqa: E402
from topics import Contract  # noqa: E402

_SETTLED_S = 2.5


class Changes:
    """What may happen to a group. Each begins and ends with the service alone."""

    def __init__(self, stack):
        self.stack = stack
        documents = stack.documents
        self.more = Service("documents-more", os.path.join(stack.folder, "documents-more"), documents.room, documents.settings)

    def alone(self):
        """The only one is restarted."""
        self.stack.documents.stop()
        self.stack.documents.start()

    def scale_up(self):
        self.more.start()

    def restart_one_of_two(self):
        self.more.stop()
        self.more.start()

    def scale_down(self):
        self.more.stop()

    def scale_up_and_down_at_once(self):
        self.more.start()
        self.more.stop()

    def killed(self):
        self.stack.documents.kill()
        self.stack.documents.start()


_ORDER = ("alone", "scale_up", "restart_one_of_two", "scale_down", "scale_up_and_down_at_once", "killed")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--lane", choices=LANES, default="read")
    arguments = parser.parse_args()
    stack = Stack(gateways=1)
    stack.ours = [stack.documents]
    changes = Changes(stack)
    try:
        stack.start()
        found = {name: [] for name in _ORDER}
        with Ticker(stack.kafka.brokers, Contract(), arguments.lane) as ticker:
            time.sleep(_SETTLED_S)
            for _ in range(arguments.rounds):
                for name in _ORDER:
                    if not re.search(arguments.only, name) and not name.startswith("scale"):
                        continue
                    began = time.monotonic()
                    getattr(changes, name)()
                    done = time.monotonic()
                    time.sleep(_SETTLED_S)
                    ticker.wait_answered()
                    waits = ticker.slowest(began - 0.5)
                    found[name].append(waits[0])
                    print(f"{name:<28} took {done - began:5.2f} s; partitions waited {' '.join(f'{wait:.2f}' for wait in waits)}", flush=True)
        for name, values in found.items():
            if values:
                print(f"{name:<28} longest wait: median {statistics.median(values):.2f} s, worst {max(values):.2f} s")
    finally:
        changes.more.kill()
        stack.stop()


if __name__ == "__main__":
    main()
