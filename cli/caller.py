"""Who started this process, when a container stands between: it has no parent that it could lose, and a killed caller could not stop it."""

import fcntl
import os
import signal
import threading


def end_with(path: str) -> None:
    """Sends this process a SIGTERM once nobody holds the file locked (flock): the caller does, until it ends, however it ends."""
    file = open(path, "rb")

    def wait() -> None:
        fcntl.flock(file, fcntl.LOCK_SH)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()
