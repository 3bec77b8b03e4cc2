"""Files become documents: new ones are added, changed ones updated, unchanged ones passed over."""

import argparse
import concurrent.futures
import os
import signal
import sys
import threading
import time

from cli import client, walk
from cli.connection import Connection
from cli.library import Held, Library
from cli.outcome import Failed, NotImported, Stop
from cli.progress import Progress
from cli.summary import Summary
from cli.terminal import harmless_line

PARALLEL_DEFAULT, PARALLEL_MAX = 8, 32  # the server's own bound is 32 requests of an account at once
EXIT_FAILED, EXIT_STOPPED = 1, 130
_NAMES_MAX = 10


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./quire import", description=__doc__)
    parser.add_argument("paths", nargs="*", metavar="PATH", help="a file, a folder, or a pattern as 'docs/**/*.md'")
    parser.add_argument("--parallel", type=int, default=PARALLEL_DEFAULT, metavar="N", help=f"requests at once, 1..{PARALLEL_MAX} ({PARALLEL_DEFAULT})")
    parser.add_argument("--prune", action="store_true", help="remove documents below the named folders whose file is gone; asks first on a terminal")
    parser.add_argument("--yes", action="store_true", help="prune without asking, an empty folder too")
    parser.add_argument("--dry-run", action="store_true", help="read everything, write nothing, tell what would be done")
    parser.add_argument("--verbose", action="store_true", help="name every file that was left out")
    # What scripts/import.sh hands in: the folder that the paths start in and the paths, each ended by a NUL, so that any name comes through; and where
    # the machine's files are mounted.
    parser.add_argument("--from-file", help=argparse.SUPPRESS)
    parser.add_argument("--root", default="", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.folder = os.getcwd()
    if arguments.from_file:
        with open(arguments.from_file, "rb") as file:
            arguments.folder, *arguments.paths = os.fsdecode(file.read()).split("\0")[:-1]
    if not arguments.paths:
        parser.error("say what to import: ./quire import PATH...")
    if not 1 <= arguments.parallel <= PARALLEL_MAX:
        parser.error(f"--parallel is 1..{PARALLEL_MAX}")
    return arguments


class Import:
    """One run. `stopping` is set by a signal and ends every wait; what is under way is finished."""

    def __init__(self, arguments: argparse.Namespace, found: walk.Found, library: Library, stopping: threading.Event) -> None:
        self.arguments, self.found, self.library, self.stopping = arguments, found, library, stopping
        self.summary = Summary()
        for name, why in found.left_out:
            self.summary.leave_out(name, why)
        self.progress = Progress(len(found.sources), sum(source.size for source in found.sources))

    def run(self) -> None:
        """Raises Stop."""
        try:
            self.library.load(lambda count: self.progress.note(f"reading what is there: {count} documents"))
            self._enter_all()
        finally:
            self.progress.close()
        for name, failure in self.library.settle({source.name: source for source in self.found.sources}):
            self.summary.leave_out(name, failure)
        if self.arguments.prune:
            self._prune()

    def _enter_all(self) -> None:
        pool = concurrent.futures.ThreadPoolExecutor(self.arguments.parallel)
        try:
            # Submitted a window at a time, so that ten thousand files don't wait in memory.
            waiting: dict[concurrent.futures.Future[str], walk.Source] = {}
            rest = iter(self.found.sources)
            while True:
                while len(waiting) < 2 * self.arguments.parallel and (source := next(rest, None)):
                    waiting[pool.submit(self.library.enter, source)] = source
                if not waiting:
                    return
                for future in concurrent.futures.wait(waiting, return_when=concurrent.futures.FIRST_COMPLETED).done:
                    self._count(waiting.pop(future), future)
        except BaseException:
            self.stopping.set()
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def _count(self, source: walk.Source, future: concurrent.futures.Future[str]) -> None:
        try:
            self.summary.counts[future.result()] += 1
        except NotImported as why:
            self.summary.leave_out(source.name, why)
        self.progress.step(source.size)

    def _prune(self) -> None:
        present = {source.name for source in self.found.sources} | {name for name, _ in self.found.left_out}
        for prefix in self.found.prefixes:
            gone = self.library.gone([prefix], self.found.blind, present) if prefix else []
            if not prefix:
                self.summary.leave_out("/", Failed("not pruned", "every import is below the root"))
            elif gone and not self.arguments.yes and not any(name.startswith(prefix) for name in present):
                self.summary.leave_out(prefix, Failed("not pruned", f"no file is there, but {len(gone)} documents are; --yes removes them"))
            elif gone and self._may_remove(prefix, gone):
                for _, document in gone:
                    if not self.arguments.dry_run:
                        self.library.delete(document.id)
                    self.summary.counts["removed"] += 1

    def _may_remove(self, prefix: str, gone: list[tuple[str, Held]]) -> bool:
        if self.arguments.yes or self.arguments.dry_run or not (sys.stdin.isatty() and sys.stdout.isatty()):
            return True
        names = "".join(f"  {harmless_line(name)}\n" for name, _ in gone[:_NAMES_MAX])
        more = f"  ... and {len(gone) - _NAMES_MAX} more\n" if len(gone) > _NAMES_MAX else ""
        return input(f"Gone below {harmless_line(prefix)}:\n{names}{more}Remove {len(gone)} documents? [y/N] ").strip().lower() in ("y", "yes")


def stop_on_signals(stopping: threading.Event) -> None:
    """The first signal lets what is under way end; the second ends the process."""
    def stop(number: int, frame: object) -> None:
        if stopping.is_set():
            os._exit(EXIT_STOPPED)
        stopping.set()
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def main() -> None:
    arguments, began, stopping = parse(), time.monotonic(), threading.Event()
    try:
        found = walk.find(arguments.paths, arguments.folder, arguments.root)
    except walk.NoSuchPath as error:
        sys.exit(harmless_line(str(error)))
    if arguments.prune and not found.prefixes:
        sys.exit("--prune wants a folder: what is below it is compared with what was imported from it.")
    stop_on_signals(stopping)
    fault, status = "", 0
    with client.open_client(arguments.parallel) as http:
        running = Import(arguments, found, Library(Connection(http, stopping), arguments.dry_run), stopping)
        try:
            running.run()
        except KeyboardInterrupt:
            fault, status = "Stopped.", EXIT_STOPPED
        except (Stop, Failed) as error:
            fault, status = harmless_line(str(error.args[-1])), EXIT_FAILED
    for line in running.summary.lines(arguments.verbose):
        print(line)
    print(running.summary.total(time.monotonic() - began, arguments.dry_run))
    if fault:
        print(f"{fault} Not everything was looked at: start it again, and it goes on where it was.", file=sys.stderr)
    sys.exit(status or (EXIT_FAILED if running.summary.counts["failed"] else 0))


if __name__ == "__main__":
    main()
