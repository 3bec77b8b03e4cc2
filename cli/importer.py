"""Files become documents: new ones are added, changed ones updated, unchanged ones passed over."""

import argparse
import concurrent.futures
import os
import signal
import sys
import threading
import time

from cli import caller, client, prune, terminal, walk
from cli.connection import Connection
from cli.library import Library
from cli.outcome import Failed, NotImported, Stop
from cli.progress import Progress
from cli.summary import Summary
from cli.terminal import harmless_line

PARALLEL_DEFAULT, PARALLEL_MAX = 8, 32  # the server's own bound is 32 requests of an account at once
EXIT_FAILED, EXIT_WRONG, EXIT_STOPPED = 1, 2, 130
_LOOKED_EVERY_S = 0.5
_UNFINISHED = "Not everything was looked at: start it again, and it goes on where it was."


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./quire import", description=__doc__)
    parser.add_argument("paths", nargs="*", metavar="PATH", help="a file, a folder, or a pattern as 'docs/**/*.md'")
    parser.add_argument("--parallel", type=int, default=PARALLEL_DEFAULT, metavar="N", help=f"requests at once, 1..{PARALLEL_MAX} ({PARALLEL_DEFAULT})")
    parser.add_argument("--prune", action="store_true", help="remove documents that came from the named folders and whose file is gone; asks first, and needs "
                        "--yes where nobody can be asked")
    parser.add_argument("--take-over", action="store_true", help="documents of the same names are these folders', wherever they came from")
    parser.add_argument("--yes", action="store_true", help="prune without asking, an empty folder too")
    parser.add_argument("--dry-run", action="store_true", help="read everything, write nothing, tell what would be done")
    parser.add_argument("--verbose", action="store_true", help="name every file that was left out, and with --dry-run each that would not be")
    # What scripts/import.sh hands in, each ended by a NUL, so that any name comes through: the folder that the paths start in, the paths, an empty word,
    # and by pairs links and where that is mounted which they lead to; and where the machine's files are mounted.
    parser.add_argument("--from-file", help=argparse.SUPPRESS)
    parser.add_argument("--root", default="", help=argparse.SUPPRESS)
    # Also its: the file is locked as long as the caller lives, and nobody sits before the terminal that a container may see.
    parser.add_argument("--end-with-caller", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--unattended", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.folder, arguments.links = os.getcwd(), {}
    arguments.unattended |= not (sys.stdin.isatty() and sys.stdout.isatty())
    if arguments.from_file:
        with open(arguments.from_file, "rb") as file:
            arguments.folder, *words = os.fsdecode(file.read()).split("\0")[:-1]
        end = words.index("")
        arguments.paths, links = words[:end], words[end + 1:]
        arguments.links = dict(zip(links[::2], links[1::2], strict=True))
    if not arguments.paths:
        parser.error("say what to import: ./quire import PATH...")
    if not all(arguments.paths):
        parser.error("a path is empty; the current folder is '.'")
    if not 1 <= arguments.parallel <= PARALLEL_MAX:
        parser.error(f"--parallel is 1..{PARALLEL_MAX}")
    return arguments


class Import:
    """One run. `stopping` is set by a signal and ends every wait; what is under way is finished."""

    def __init__(self, arguments: argparse.Namespace, found: walk.Found, library: Library, stopping: threading.Event) -> None:
        self.arguments, self.found, self.library, self.stopping = arguments, found, library, stopping
        told = ("added", "updated", "removed") if arguments.dry_run and arguments.verbose else ("removed",)
        self.summary = Summary(arguments.dry_run, told)
        for place, why in found.left_out:
            self.summary.leave_out(self._shown(place), why)
        self.progress = Progress(len(found.sources), sum(source.size for source in found.sources))
        library.connection.on_silence = lambda words: self.progress.say(f"{harmless_line(words)} Trying again.")

    def _shown(self, place: walk.Place | walk.Source) -> str:
        return walk.shown(place.name, place.origin, walk.spelled(self.arguments.folder))

    def run(self) -> None:
        """Raises Stop, and prune.NeedsYes when only the pruning was not done."""
        try:
            self.library.load(lambda count: self.progress.note(f"reading what is there: {count} documents"))
            self._enter_all()
        finally:
            self.progress.close()
            self.summary.guessed = self.library.guessed
        sources = {source.name: source for source in self.found.sources}
        for name, failure in self.library.settle(sources):
            self.summary.leave_out(self._shown(sources[name]), failure)
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
                for future in concurrent.futures.wait(waiting, _LOOKED_EVERY_S, concurrent.futures.FIRST_COMPLETED).done:
                    self._count(waiting.pop(future), future)
                self.progress.tick(self.library.connection.is_away)
        except BaseException:
            self.stopping.set()
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def _count(self, source: walk.Source, future: concurrent.futures.Future[str]) -> None:
        try:
            self.summary.count(future.result(), self._shown(source))
            self.progress.step(source.size)
        except NotImported as why:
            self.summary.leave_out(self._shown(source), why)
            self.progress.step(source.size, is_read=False)

    def _prune(self) -> None:
        gone = prune.gone(self.found, self.library, self.summary, self.arguments.yes)
        try:
            agreed = not gone or self.arguments.yes or self.arguments.dry_run or prune.may_remove(gone, self.arguments.unattended)
        except prune.NeedsYes:
            self.summary.would = [name for name, _ in gone]
            raise
        for name, document in gone if agreed else []:
            if not self.arguments.dry_run:
                self.library.delete(document.id)
            self.summary.count("removed", name)


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
    found = walk.find(arguments.paths, arguments.folder, arguments.root, arguments.links)
    if arguments.prune and not found.folders and found.sources:
        terminal.end("--prune wants a folder: what is below it is compared with what was imported from it.", EXIT_WRONG)
    stop_on_signals(stopping)
    if arguments.end_with_caller:
        caller.end_with(arguments.from_file)
    fault, status = "", 0
    with client.open_client(arguments.parallel) as http:
        library = Library(Connection(http, stopping), arguments.dry_run, arguments.take_over)
        running = Import(arguments, found, library, stopping)
        try:
            running.run()
        except KeyboardInterrupt:
            fault, status = f"Stopped. {_UNFINISHED}", EXIT_STOPPED
        except (Stop, Failed) as error:
            fault, status = f"{error.args[-1]} {_UNFINISHED}", EXIT_FAILED
        except prune.NeedsYes as error:
            fault, status = str(error), EXIT_WRONG
    for line in running.summary.lines(arguments.verbose):
        print(line)
    print(running.summary.total(time.monotonic() - began), flush=True)
    if fault:
        terminal.end(fault, status)
    sys.exit(EXIT_FAILED if running.summary.counts["failed"] else 0)


if __name__ == "__main__":
    main()
