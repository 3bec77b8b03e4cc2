"""Three times what the stack can do, for a while: what is served stays near the peak, the rest is refused at once."""

import os
import sys
import time
from dataclasses import dataclass

import load
import nginx
from parts import SHARES, Watch, memory_limits, niceness_of, with_cores
from routes import Library, Route
from traffic import Traffic, goodput, sent_of, together
from verdict import Verdict, cores, ms, times

ROUTES = ("GET /auth/me", "POST /query", "POST /documents, 1 KB")
TIMES = 3
PEAK_CONNECTIONS = (64, 256, 1000)
PEAK_SECONDS = 5
MORE, GROWS = 1.5, 1.1  # looking for the peak: so much more is offered as long as that brings so much more
# So many can wait for a capacity of two seconds' requests (QUIRE_GATEWAY_QUEUE_MS) and as many again come and go; descriptors bound it.
CONNECTIONS_A_RATE, CONNECTIONS_MAX = 2.6, 18_000
# A crowd on machines of its own would take nothing from the gateway: here it weighs as a container that has no `cpu_shares`.
CROWD_NICENESS = niceness_of(SHARES)
CALM_RATE, CALM_CONNECTIONS, CALM_SECONDS = 50, 20, 10
AFTER_S = 5
# The promises.
GOODPUT_PART = 0.9
REFUSED_US = 50_000
DEADLINE_US, DEADLINE_MARGIN_US = 5_000_000, 250_000
OTHERS_PART = 0.001
AFTER_P50, AFTER_P99 = 1.5, 2.0


def connections_for(rate: float) -> int:
    return min(int(rate * CONNECTIONS_A_RATE) + 500, CONNECTIONS_MAX)


def say(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)


@dataclass
class Overload:
    """One route's run."""

    stack: object
    build: str
    nginx: nginx.Floor
    route: Route
    seconds: float
    verdict: Verdict

    def _traffic(self, rate: float, connections: int, seconds: float) -> Traffic:
        return Traffic(self.build, self.stack.gateway.port, self.route.file, max(int(rate), 1), connections, seconds, CROWD_NICENESS)

    def _calm(self) -> dict:
        return self._traffic(CALM_RATE, CALM_CONNECTIONS, CALM_SECONDS).run()["outcomes"]["served"]

    def _capacity(self) -> float:
        """The most requests a second that are served: by a closed loop at its best, then while more and more arrive, as a crowd makes larger batches than a thousand
        connections do."""
        most = max(load.closed(self.stack.gateway.port, self.route.file, connections, PEAK_SECONDS)["requests_per_s"] for connections in PEAK_CONNECTIONS)
        while True:
            offered = most * MORE
            served = goodput(self._traffic(offered, connections_for(offered), PEAK_SECONDS).run(), PEAK_SECONDS)
            say(f"{self.route.name}: {served:,.0f}/s of {offered:,.0f}/s")
            if served < most * GROWS:
                return max(most, served)
            most = served

    def _peaks(self, capacity: float, connections: int) -> tuple[float, float]:
        """Goodput when what is offered is what can be done: alone, and beside the same excess going to an nginx that refuses it, so that the load
        generator and the least that a refusal costs take as much of the processors as they do in the overload."""
        alone = self._traffic(capacity, connections, PEAK_SECONDS).run()
        beside, _ = together(self._traffic(capacity, connections, PEAK_SECONDS),
                             Traffic(self.build, self.nginx.port, self.nginx.requests, int(capacity * (TIMES - 1)), connections, PEAK_SECONDS, CROWD_NICENESS))
        return goodput(alone, PEAK_SECONDS), goodput(beside, PEAK_SECONDS)

    def run(self) -> None:
        before = self._calm()
        capacity = self._capacity()
        connections = connections_for(capacity)
        alone, beside = self._peaks(capacity, connections)
        say(f"{self.route.name}: at best {capacity:,.0f}/s, open {alone:,.0f}/s, beside the excess at nginx {beside:,.0f}/s, {connections} connections")
        with Watch(self.stack, 1) as watch:
            figures, busy = with_cores(self.stack, self._traffic(capacity * TIMES, connections, self.seconds).run)
        time.sleep(max(AFTER_S - figures["drained_s"], 0))
        after = self._calm()
        self._judge(figures, alone, beside)
        self.verdict.tell(self.route.name, f"cores of {os.cpu_count()}", cores(busy))
        self._judge_memory(watch)
        self._judge_after(before, after)

    def _judge(self, figures: dict, alone: float, beside: float) -> None:
        name, verdict = self.route.name, self.verdict
        outcomes, good = figures["outcomes"], goodput(figures, self.seconds)
        refused, served = outcomes["refused"], outcomes["served"]
        others = sum(outcomes[kind]["count"] for kind in ("limited", "expired", "failed"))
        verdict.tell(name, f"offered {figures['offered_per_s']:,}/s: served, refused, 504, other",
                     f"{good:,.0f}/s, {refused['count'] / self.seconds:,.0f}/s, {outcomes['expired']['count']}, {outcomes['failed']['count'] + outcomes['limited']['count']}")
        verdict.tell(name, "goodput / peak without the excess", times(good, alone))
        verdict.judge(name, "goodput / peak beside the excess", times(good, beside), f">= {GOODPUT_PART}", good >= GOODPUT_PART * beside)
        sent = sent_of(figures)
        verdict.tell(name, "never sent by the load generator", f"{figures['requests'] - sent:,} of {figures['requests']:,}")
        verdict.judge(name, "the rest is 503", f"{others:,} of {sent:,} else", f"<= {OTHERS_PART:.1%}", others <= OTHERS_PART * sent)
        verdict.judge(name, "503 within, p99 from sending", ms(refused["sent_p99_us"]), f"<= {ms(REFUSED_US)}",
                      refused["count"] > 0 and refused["sent_p99_us"] <= REFUSED_US)
        verdict.tell(name, "503 within, p50 and p95 from sending", f"{ms(refused['sent_p50_us'])}, {ms(refused['sent_p95_us'])}")
        verdict.tell(name, "503 within, p50 and p99 from being due", f"{ms(refused['p50_us'])}, {ms(refused['p99_us'])}")
        verdict.tell(name, "served within, p50 and p99 from sending", f"{ms(served['sent_p50_us'])}, {ms(served['sent_p99_us'])}")
        verdict.judge(name, "nothing served after its deadline", ms(served["sent_max_us"]), f"<= {ms(DEADLINE_US)}",
                      served["sent_max_us"] <= DEADLINE_US + DEADLINE_MARGIN_US)

    def _judge_memory(self, watch: Watch) -> None:
        limits = memory_limits()
        shares = {server: most / limits[server] for server, most in watch.most_memory().items()}
        fullest = max(shares, key=shares.get)
        self.verdict.judge(self.route.name, "memory within its limit", f"{fullest} at {shares[fullest]:.0%}", "<= 100%", shares[fullest] <= 1)

    def _judge_after(self, before: dict, after: dict) -> None:
        for what, bound in (("p50", AFTER_P50), ("p99", AFTER_P99)):
            old, new = before[f"{what}_us"], after[f"{what}_us"]
            self.verdict.judge(self.route.name, f"{what} {AFTER_S} s later / before", f"{times(new, old)} ({ms(new)})", f"<= {bound}", 0 < new <= bound * old)


def run(stack, build: str, folder: str, port: int, library: Library, seconds: float, wanted: str) -> Verdict:
    verdict = Verdict()
    with nginx.Floor(folder, port, 503) as refusing:
        for route in library.routes():
            if route.name in ROUTES and wanted in route.name:
                Overload(stack, build, refusing, route, seconds, verdict).run()
    return verdict
