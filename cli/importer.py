"""Files become documents: new ones are added, changed ones updated, unchanged ones passed over."""

import argparse
import collections
import concurrent.futures
import hashlib
import pathlib
import sys
import time

import httpx

from cli import client, files

PARALLEL_DEFAULT, PARALLEL_MAX = 8, 64
TRIES_MAX = 8
RETRIED = {429, 503, 504}
SHOWN_MAX = 20


class Library:
    """What the account holds already, by the source that its metadata names."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.by_source: dict[str, tuple[str, str]] = {}
        cursor = ""
        while cursor is not None:
            page = send(http, "GET", f"/documents?limit=100&cursor={cursor}")
            for item in page.json()["items"]:
                if source := item["metadata"].get("source"):
                    self.by_source[source] = (item["id"], item["metadata"].get("sha256", ""))
            cursor = page.json()["next_cursor"]

    def enter(self, document: dict) -> str:
        """Adds or updates one document; says which. The key is made of source and content, so that a repetition enters nothing twice."""
        source, digest = document["metadata"]["source"], document["metadata"]["sha256"]
        known = self.by_source.get(source)
        if known and known[1] == digest:
            return "unchanged"
        path = f"/documents/{known[0]}" if known else "/documents"
        key = hashlib.sha256(f"{path}\0{source}\0{digest}".encode()).hexdigest()
        send(self.http, "PUT" if known else "POST", path, json=document, headers={"Idempotency-Key": key})
        return "updated" if known else "added"


def send(http: httpx.Client, method: str, path: str, **options) -> httpx.Response:
    """One request, repeated while the server asks for patience. Raises Skipped with its words otherwise."""
    for attempt in range(TRIES_MAX):
        try:
            answer = http.request(method, path, **options)
        except httpx.TransportError as error:
            words, wait_s = f"no answer from {client.url()}: {error}", 2**attempt / 4
        else:
            if answer.is_success or answer.status_code == 404 and method == "DELETE":
                return answer
            words, wait_s = client.problem(answer), float(answer.headers.get("retry-after", 1))
            if answer.status_code == 401:
                sys.exit(f"{words}. Run ./quire login.")
            if answer.status_code not in RETRIED:
                break
        time.sleep(min(wait_s, 10))
    raise files.Skipped(words)


class Progress:
    """A line that is written over on a terminal, and left out elsewhere."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.bytes, self.began = total, 0, 0, time.monotonic()

    def step(self, size: int) -> None:
        self.done += 1
        self.bytes += size
        if not sys.stderr.isatty():
            return
        elapsed = max(time.monotonic() - self.began, 0.001)
        left_s = elapsed / self.done * (self.total - self.done)
        bar = "#" * (30 * self.done // self.total)
        print(f"\r  [{bar:<30}] {self.done}/{self.total} files  {self.bytes / 1e6:.1f} MB  {self.done / elapsed:.0f}/s  {left_s:.0f} s left ",
              end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        if sys.stderr.isatty():
            print(file=sys.stderr)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./quire import", description=__doc__)
    parser.add_argument("paths", nargs="+", type=pathlib.Path)
    parser.add_argument("--parallel", type=int, default=PARALLEL_DEFAULT, help=f"requests at once, 1..{PARALLEL_MAX} ({PARALLEL_DEFAULT})")
    parser.add_argument("--prune", action="store_true", help="remove documents below these paths whose file is gone")
    arguments = parser.parse_args()
    if not 1 <= arguments.parallel <= PARALLEL_MAX:
        parser.error(f"--parallel is 1..{PARALLEL_MAX}")
    return arguments


def enter_all(library: Library, sources: list[files.Source], parallel: int) -> tuple[collections.Counter, list[str]]:
    outcomes, skipped = collections.Counter(), []
    progress = Progress(len(sources))

    def enter(source: files.Source) -> tuple[str, int]:
        document = files.read_document(source)
        return library.enter(document), len(document["content"])

    with concurrent.futures.ThreadPoolExecutor(parallel) as pool:
        # Submitted a window at a time, so that ten thousand files don't wait in memory.
        waiting, rest = {}, iter(sources)
        while True:
            while len(waiting) < 2 * parallel and (source := next(rest, None)):
                waiting[pool.submit(enter, source)] = source
            if not waiting:
                break
            done, _ = concurrent.futures.wait(waiting, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in done:
                source, size = waiting.pop(future), 0
                try:
                    outcome, size = future.result()
                    outcomes[outcome] += 1
                except files.Skipped as reason:
                    outcomes["skipped"] += 1
                    skipped.append(f"{source.name}: {reason}")
                progress.step(size)
    progress.close()
    return outcomes, skipped


def prune(library: Library, roots: list[pathlib.Path], sources: list[files.Source]) -> int:
    """Only what stands below the roots that were named: another import's documents stay."""
    present = {source.name for source in sources}
    folders = tuple(f"{root.name}/" for root in roots if root.is_dir())
    gone = [document for source, (document, _) in library.by_source.items() if folders and source.startswith(folders) and source not in present]
    for document in gone:
        send(library.http, "DELETE", f"/documents/{document}")
    return len(gone)


def main() -> None:
    arguments = parse()
    began = time.monotonic()
    sources = [source for root in arguments.paths for source in files.walk(root)]
    with client.open_client(arguments.parallel) as http:
        try:
            library = Library(http)
        except files.Skipped as reason:
            sys.exit(str(reason))
        outcomes, skipped = enter_all(library, sources, arguments.parallel) if sources else (collections.Counter(), [])
        pruned = prune(library, arguments.paths, sources) if arguments.prune else 0
    for line in skipped[:SHOWN_MAX]:
        print(f"  skipped {line}")
    if len(skipped) > SHOWN_MAX:
        print(f"  ... and {len(skipped) - SHOWN_MAX} more")
    print(f"{outcomes['added']} added, {outcomes['updated']} updated, {outcomes['unchanged']} unchanged, {outcomes['skipped']} skipped, "
          f"{pruned} removed, in {time.monotonic() - began:.1f} s.")


if __name__ == "__main__":
    main()
