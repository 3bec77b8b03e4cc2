"""Free ports of loopback, locked: two test runs on one machine never choose the same one."""

import fcntl
import os
import random
import socket

# Below the kernel's range for outgoing connections, so that no client takes a port while its server restarts.
_FIRST, _LAST = 20000, 29999
_FOLDER = "/tmp/quire-ports"
_locks = []  # held until the process ends


def free_port():
    os.makedirs(_FOLDER, mode=0o777, exist_ok=True)
    for port in random.sample(range(_FIRST, _LAST), 200):
        lock = os.open(f"{_FOLDER}/{port}", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            os.close(lock)
            continue
        _locks.append(lock)
        return port
    raise RuntimeError("no free port of loopback")
