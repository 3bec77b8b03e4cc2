"""What all servers have in common: a process, its log file, and whether the test means it to run."""

import atexit
import os
import signal
import subprocess

from .waiting import PATIENCE, GivenUp, wait_until

_SANITIZER_REPORTS = (b"ERROR: AddressSanitizer", b"ERROR: LeakSanitizer", b"WARNING: ThreadSanitizer", b": runtime error: ",
                      b"SUMMARY: UndefinedBehaviorSanitizer", b"SUMMARY: AddressSanitizer")


class Server:
    """One real server. `wanted` is what the test asked for; a server that is wanted but not alive died by itself."""

    start_seconds = 120  # a busy machine may take more than half of it

    def __init__(self, name, folder):
        self.name = name
        self.folder = folder
        self.log_path = os.path.join(folder, f"{name}.log")
        self.process = None
        self.wanted = False
        self.paused = False
        self.nice = 0  # how far it stands back where processors are scarce
        self.touched = False  # since the last mark(): started, ended or paused, so that others may still be shaken
        os.makedirs(folder, exist_ok=True)
        open(self.log_path, "ab").close()
        atexit.register(self._end)

    # What a kind of server says of itself.

    def command(self):
        raise NotImplementedError

    def environment(self):
        return dict(os.environ)

    def user(self):
        """The account to run as; None: ours."""
        return None

    def prepare(self):
        """Before each start."""

    def ready(self):
        """True once it serves. May raise until then."""
        return True

    # What a test does with it.

    @property
    def alive(self):
        return self.process is not None and self.process.poll() is None

    @property
    def died(self):
        return self.wanted and not self.alive

    @property
    def pid(self):
        return self.process.pid

    def spawn(self):
        """Starts the process without waiting for it."""
        assert not self.alive, f"{self.name} runs already"
        self.prepare()
        with open(self.log_path, "ab") as log:
            user = self.user()
            self.process = subprocess.Popen(
                [*(["nice", "-n", str(self.nice)] if self.nice else []), *self.command()], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment(), cwd=self.folder,
                start_new_session=True, user=user, group=user, extra_groups=[] if user else None)
        self.wanted = self.touched = True
        self.paused = False

    def wait_ready(self):
        def ready():
            if not self.alive:
                raise GivenUp(f"{self.name} ended with {self.process.returncode} while it started:\n{self.log_tail()}")
            return self.ready()

        wait_until(ready, self.start_seconds, f"{self.name} is ready")

    def start(self):
        self.spawn()
        self.wait_ready()
        return self

    def ask_to_stop(self):
        """The first half of stop(), so that several can end at the same time."""
        self.wanted = False
        self.touched = True
        if self.alive:
            if self.paused:
                self.resume()
            self.process.send_signal(self.stop_signal)

    def stop(self, seconds=15):
        """Asks it to end (SIGTERM) and asserts that it does. Returns its exit status; None when it was down already."""
        if self.process is None or self.process.returncode is not None:
            self.wanted = False
            return None
        if self.wanted:
            self.ask_to_stop()
        try:
            return self.process.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end within {seconds} s of being asked to") from None

    stop_signal = signal.SIGTERM

    def kill(self):
        """Ends it at once, with all its processes (SIGKILL), as a lost power line or the kernel's OOM killer would."""
        self.wanted = False
        self.touched = True
        if self.process is None:
            return
        self.strike_down()
        self.process.wait(10)

    def strike_down(self):
        """SIGKILL to all its processes and no more: whoever watches it sees it die by itself."""
        for pid in self._tree():
            _signal(pid, signal.SIGKILL)

    def restart(self):
        self.stop()
        self.start()

    def pause(self):
        """Stops all its threads (SIGSTOP): connections stay open and nothing answers."""
        for pid in self._tree():
            _signal(pid, signal.SIGSTOP)
        self.paused = self.touched = True

    def resume(self):
        for pid in self._tree():
            _signal(pid, signal.SIGCONT)
        self.paused = False

    def heal(self, wait=True):
        """Brings it back to running, whatever a test did to it. True when there was something to mend."""
        if self.process is None:
            return False  # nobody has started it yet
        if self.paused and self.alive:
            self.resume()
            return True
        if not self.alive:
            self.spawn()
            if wait:
                self.wait_ready()
            return True
        return False

    # Its log.

    def log_size(self):
        return os.path.getsize(self.log_path)

    def log_bytes(self, start=0):
        with open(self.log_path, "rb") as log:
            log.seek(start)
            return log.read()

    def log_contains(self, text, start=0):
        return (text if isinstance(text, bytes) else text.encode()) in self.log_bytes(start)

    def log_lines(self, text, start=0):
        """The lines that contain `text`."""
        return [line for line in self.log_bytes(start).decode(errors="replace").splitlines() if text in line]

    def log_tail(self, start=0, characters=4000):
        return self.log_bytes(start)[-characters:].decode(errors="replace")

    def sanitizer_report(self, start=0):
        """The first report of a sanitizer in the log, or None."""
        log = self.log_bytes(start)
        places = [place for place in (log.find(mark) for mark in _SANITIZER_REPORTS) if place >= 0]
        return log[max(0, min(places) - 200):min(places) + 4000].decode(errors="replace") if places else None

    def resident_bytes(self):
        with open(f"/proc/{self.pid}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def _tree(self):
        """Our process and all that descend from it, parents first."""
        children = {}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/stat") as stat:
                    children.setdefault(int(stat.read().rpartition(")")[2].split()[1]), []).append(int(entry))
            except OSError:
                continue
        tree = [self.process.pid]
        for pid in tree:
            tree.extend(children.get(pid, []))
        return tree

    def _end(self):
        if self.alive:
            self.kill()


def _signal(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
