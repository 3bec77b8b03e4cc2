"""Half of what the stack can do, for long: what grows."""

import statistics
import sys
import time

import load
import segments
from client import Api
from parts import Holding, Watch
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
        settled = len(watch.samples["gateway-1"])
        time.sleep(max(began + seconds - time.monotonic(), 0))
    figures = traffic.wait()
    for server, samples in watch.samples.items():
        judge_growth(verdict, server, samples, settled)
    partition, count, most = segments.fullest(stack.kafka.pid)
    verdict.judge("kafka", f"log segments of {partition}", f"{count}", f"<= {most}", count <= most)
    served = served_part(figures)
    verdict.tell("all", "answers", kinds(figures))
    verdict.judge("all", f"served of {figures['requests']:,}", f"{served:.3%}", f">= {SERVED_PART:.1%}", served >= SERVED_PART)
    wait_until(lambda: lag(stack) == 0, LAG_S, "no message is left over", every=0.5)
    verdict.judge("all", f"messages left {LAG_S} s later at most", f"{lag(stack):.0f}", "0", lag(stack) == 0)
    return verdict
