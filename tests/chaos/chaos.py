#!/usr/bin/env python3
"""Faults, one after the other, while people work; then the account. Ends with 1 when a promise was broken.

    chaos.py                       each fault once: the version of CI, about four minutes; a stopped process stands still for 5 s, not 10
    chaos.py --rounds 5            each fault five times, in another order each time
    chaos.py --minutes 60          rounds until the time is over
    chaos.py --again               a fault that missed a bound of time is done once more in the end, and judged by that: for a machine that others use too
    chaos.py --only 'kill|redis'   faults whose name matches
    chaos.py --list                their names"""

import argparse
import itertools
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e")]

import account_book  # noqa: E402
import oracle  # noqa: E402
import report  # noqa: E402
from chaos_stack import ChaosStack  # noqa: E402
from faults import FAULTS  # noqa: E402
from journal import Reader  # noqa: E402

_BROKEN_TOLD_MAX = 12  # of each fault
_CALM_S = 1.2  # so long without a failure, and the stack is whole; also the undisturbed work before the next fault
_BEFORE_S = 1.0  # what was sent so long before a fault counts for it too, and whatever is under way; less than _CALM_S, or failures of the fault before would
_HANGS_S, _HANGS_MAX_S = 0.5, 5.0  # what is under way for so long is waited for, up to the default deadline: the next fault would be blamed for it
_WHOLE_MAX_S = 30.0
_SETTLE_MAX_S = 30.0
_STOPPED_S, _STOPPED_SHORT_S = 10.0, 5.0  # how long a stopped server stands still; so long when each fault comes once


class Run:
    def __init__(self, stack, arguments):
        self.stack, self.arguments = stack, arguments
        self.journal_path = os.path.join(stack.folder, "journal")
        self.reader = Reader(self.journal_path)
        self.windows = []
        self.workload = None

    def start_workload(self):
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "workload.py")
        self.workload = subprocess.Popen([sys.executable, script, str(self.stack.proxy.port), self.journal_path, str(self.arguments.clients),
                                          str(self.arguments.rate), f"{self.arguments.seed}"])
        self._wait_calm(time.monotonic(), _SETTLE_MAX_S)

    def stop_workload(self):
        self.workload.send_signal(signal.SIGTERM)
        assert self.workload.wait(60) == 0, "the workload broke"

    def _wait_calm(self, since, seconds):
        """When the stack was whole: the end of the last failure's sending, once there was none for a while. None: not within `seconds`."""
        while time.monotonic() < since + seconds:
            assert self.workload.poll() is None, "the workload broke"
            self.reader.poll()
            recent = self.reader.between(since)
            answered = [request for request in recent if request.ended_at is not None]
            troubles = [request.sent_at for request in recent if (request.ended_at is not None and report.failed(request)) or request.seconds > _CALM_S]
            last = max(troubles, default=since)
            hangs = any(request.ended_at is None and request.seconds > _HANGS_S for request in self.reader.requests.values())
            if time.monotonic() - last >= _CALM_S + (_HANGS_MAX_S if hangs else 0) and len([request for request in answered if request.sent_at > last]) >= 10:
                return last
            time.sleep(0.05)
        return None

    def strike(self, fault):
        struck = time.monotonic()
        marks = []
        returning = fault.strike(self.stack, lambda at=None: marks.append(at or time.monotonic()))
        whole = self._wait_calm(marks[0], _WHOLE_MAX_S)
        self.windows.append(report.Window(fault, struck, marks[0], time.monotonic(), whole, returning or marks[0]))
        print(f"{time.strftime('%H:%M:%S')} {fault.name}: {'NOT whole again' if whole is None else f'whole again after {whole - marks[0]:.1f} s'}",
              file=sys.stderr, flush=True)

    def struck_too_slowly(self):
        """The faults which missed a bound of time, each once."""
        self.reader.poll()
        return list({figures.window.fault.name: figures.window.fault for figures in self._figures(oracle.Verdict()) if figures.missed}.values())

    def account(self):
        """The verdict on everything that was written down."""
        self.reader.poll()
        requests = list(self.reader.requests.values())
        verdict = oracle.judge(requests, account_book.events(self.stack), account_book.documents(self.stack, requests), account_book.registered(self.stack))
        return self._figures(verdict), verdict

    def _figures(self, verdict):
        for window in self.windows:
            window.requests = self.reader.concerning(window.struck, window.struck - _BEFORE_S, window.end)
        for window, following in itertools.pairwise(self.windows):
            report.hand_over(window, following)
        return [report.Figures(window, verdict, self.reader.own_delay) for window in self.windows]


def order(arguments):
    """Faults until the rounds or the minutes are over."""
    chosen = [fault for fault in FAULTS if re.search(arguments.only, fault.name)]
    ends_at = time.monotonic() + arguments.minutes * 60
    shuffled = random.Random(arguments.seed)
    done = 0
    while done < arguments.rounds or time.monotonic() < ends_at:
        for fault in chosen:
            if done >= arguments.rounds and time.monotonic() >= ends_at:
                return
            yield fault
        done += 1
        chosen = shuffled.sample(chosen, len(chosen))


def told(broken):
    """The first few of each fault, and how many more there are."""
    counts = Counter()
    for what in broken:
        fault = what.partition(":")[0]
        counts[fault] += 1
        if counts[fault] <= _BROKEN_TOLD_MAX:
            yield what
    yield from (f"{fault}: {count - _BROKEN_TOLD_MAX} more" for fault, count in counts.items() if count > _BROKEN_TOLD_MAX)


def tell(figures, verdict, reader, again):
    """`again`: the faults that were done once more. Of such only the last time's bounds of time count; what was lost, doubled, late or wrong always does."""
    print(report.header())
    broken, excused = list(verdict.other), []
    last = {each.window.fault.name: each for each in figures}
    for each in figures:
        name = each.window.fault.name
        print(report.line(each))
        if each.away():
            print(each.away())
        broken += [f"{name}: {what}" for what in each.broken]
        (excused if each.window.fault in again and each is not last[name] else broken).extend(f"{name}: {what}" for what in each.missed)
    requests = reader.requests.values()
    print(f"\n{len(requests)} requests, {sum(request.acknowledged for request in requests)} acknowledged writes; "
          f"the clients themselves stood still for {max((seconds for _, seconds in reader.delays), default=0):.2f} s at most")
    for what in told(excused):
        print(f"MISSED, and judged by its second time  {what}")
    for what in told(broken):
        print(f"BROKEN  {what}")
    print(f"{len(broken)} broken promises" if broken else "every promise held")
    return not broken


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--only", default="", metavar="REGEX")
    parser.add_argument("--clients", type=int, default=10)
    parser.add_argument("--rate", type=float, default=8.0, help="requests a second of each client [%(default)s]")
    parser.add_argument("--seed", default=f"{time.time_ns() // 1_000_000:x}", help="of the clients' choices and the faults' order")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(fault.name for fault in FAULTS))
        return 0
    once = arguments.rounds == 1 and not arguments.minutes
    stack = ChaosStack(_STOPPED_SHORT_S if once else _STOPPED_S)
    run = Run(stack, arguments)
    try:
        print(f"starting in {stack.folder}, seed {arguments.seed}", file=sys.stderr, flush=True)
        stack.start()
        run.start_workload()
        for fault in order(arguments):
            run.strike(fault)
        again = run.struck_too_slowly() if arguments.again else []
        for fault in again:
            print(f"once more: {fault.name}", file=sys.stderr, flush=True)
            run.strike(fault)
        run.stop_workload()
        figures, verdict = run.account()
        return 0 if tell(figures, verdict, run.reader, again) else 1
    finally:
        if run.workload is not None:
            run.workload.kill()  # it has ended, unless the run broke off
        stack.stop()


if __name__ == "__main__":
    sys.exit(main())
