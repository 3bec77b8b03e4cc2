"""Half of what the stack can do, for long: what grows."""

import json
import statistics
import sys
import time
from collections import Counter

import load
import segments
from client import Api
from parts import Holding, Watch, open_files
from routes import Library, get, post, send, store_library, text_of, write_requests
from servers.waiting import wait_until
from traffic import Traffic, served_part
from verdict import Verdict, kinds

SETTLE_S = 180  # what a process holds by then is what it needs
EVERY_S = 5
COMPARED = 12  # samples whose median is taken: a minute
CONNECTIONS = 200
CAPACITY_S = 10
PART = 0.5
LAG_S = 30
NEW_FILES = 8  # that are told of what a process has opened more of
# The promises.
GROWTH = 0.03
SERVED_PART = 0.999


def mix(library: Library) -> list[bytes]:
    """Reads, searches, and writes that replace documents, so that the tables stay as large as they are; each account its own, as one account's writes wait
    for each other."""
    requests: list[bytes] = []
    written = [(token, store_library(Api(library.url, token), 1)[0]) for token in library.writers]
    for number, document in enumerate(library.ids[:100]):
        requests += [get("/auth/me", library.token), get(f"/documents/{document}", library.token), get("/documents", library.token),
                     get(f"/documents/{library.ids[-number - 1]}", library.token), post("/query", library.token, {"query": text_of(40, number)})]
        if number % 2:
            token, own = written[number // 2 % len(written)]
            requests.append(send("PUT", f"/documents/{own}", token, {"title": f"Document {number}", "content": text_of(1024, number)}))
    return requests


def lag(stack) -> float:
    return sum(server.metrics().sum("quire_consumer_lag") for server in stack.services)


def judge_growth(verdict: Verdict, server: str, samples: list[Holding], settled: int) -> None:
    compared = min(COMPARED, (len(samples) - settled) // 2)
    early, late = samples[settled:settled + compared], samples[-compared:]
    for what, name, unit in (("rss_bytes", "resident MB", 1e6), ("descriptors", "descriptors", 1), ("threads", "threads", 1)):
        before, after = (statistics.median(getattr(sample, what) for sample in part) for part in (early, late))
        verdict.judge(server, name, f"{before / unit:,.0f} -> {after / unit:,.0f}", f"+{GROWTH:.0%}", after <= before * (1 + GROWTH))


def tell_opened(verdict: Verdict, server: str, before: Counter[str], after: Counter[str]) -> None:
    """What the descriptors are that have come since, so that whoever sees their number grow needn't guess."""
    more = after - before
    if more:
        verdict.tell(server, f"{sum(more.values())} opened, {sum((before - after).values())} closed", ", ".join(f"{name} +{count}" for name, count in more.most_common(NEW_FILES)))


def tell_refusals(verdict: Verdict, gateway) -> None:
    """When a lane was full: whether a minute of the machine's was bad, or the stack in all of them."""
    for line in map(json.loads, gateway.log_lines('"lane.has_room"')):
        verdict.tell(gateway.name, f"a lane full until {line['time'][11:19]}", f"{line['topic']}: {line['refused']:,} refused in {line['seconds']} s")


def run(stack, build: str, library: Library, seconds: int) -> Verdict:
    verdict, requests = Verdict(), write_requests(library.folder / "soak.requests", mix(library))
    capacity = load.closed(stack.gateway.port, requests, CONNECTIONS, CAPACITY_S)["requests_per_s"]
    rate = max(int(capacity * PART), 1)
    settle_s = min(SETTLE_S, seconds // 3)
    print(f"  {capacity:,.0f}/s at best; {rate:,}/s for {seconds / 60:.0f} minutes", file=sys.stderr, flush=True)
    with Watch(stack, EVERY_S) as watch:
        began = time.monotonic()
        traffic = Traffic(build, stack.gateway.port, requests, rate, CONNECTIONS, seconds).start()
        time.sleep(settle_s)
        settled, files = len(watch.samples["gateway-1"]), open_files(stack)
        time.sleep(max(began + seconds - EVERY_S - time.monotonic(), 0))
        files_then = open_files(stack)
        time.sleep(max(began + seconds - time.monotonic(), 0))
    figures = traffic.wait()
    for server, samples in watch.samples.items():
        judge_growth(verdict, server, samples, settled)
        tell_opened(verdict, server, files[server], files_then[server])
    partition, count, most = segments.fullest(stack.kafka.pid)
    verdict.judge("kafka", f"log segments of {partition}", f"{count}", f"<= {most}", count <= most)
    tell_refusals(verdict, stack.gateway)
    served = served_part(figures)
    verdict.tell("all", "answers", kinds(figures))
    verdict.judge("all", f"served of {figures['requests']:,}", f"{served:.3%}", f">= {SERVED_PART:.1%}", served >= SERVED_PART)
    wait_until(lambda: lag(stack) == 0, LAG_S, "no message is left over", every=0.5)
    verdict.judge("all", f"messages left {LAG_S} s later at most", f"{lag(stack):.0f}", "0", lag(stack) == 0)
    return verdict
