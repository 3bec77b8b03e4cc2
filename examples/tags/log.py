"""Log lines as the C services write them: one JSON object a line, with the same first fields."""

import json
import sys
import threading
import zlib
from datetime import UTC, datetime

_LEVELS = ("debug", "info", "warn", "error")


class Log:
    """Any thread."""

    def __init__(self, service: str, instance: str, level: str) -> None:
        self._service, self._instance = service, instance
        self._least = _LEVELS.index(level) if level in _LEVELS else 1
        self._lock = threading.Lock()

    def write(self, level: str, event: str, **fields) -> None:
        if _LEVELS.index(level) < self._least:
            return
        time = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        line = json.dumps({"time": time, "level": level, "event": event, "service": self._service, "instance": self._instance, **fields},
                          separators=(",", ":"))  # in ASCII: no control character of a foreign text reaches a terminal
        with self._lock:
            print(line, file=sys.stdout, flush=True)


class Outage:
    """Told when it begins and when it ends, not in between."""

    def __init__(self, log: Log, server: str) -> None:
        self._log, self._server, self._away = log, server, False

    def began(self, error: Exception) -> None:
        if not self._away:
            self._log.write("warn", f"{self._server}.away", error=str(error).strip()[:200])
        self._away = True

    def ended(self) -> None:
        if self._away:
            self._log.write("info", f"{self._server}.back")
        self._away = False


def sampled(sample: int, request_id: str) -> bool:
    """One request in `sample`, by the CRC-32 of its id: the proxy, the gateway and all services choose the same ones."""
    return sample <= 1 or zlib.crc32(request_id.encode()) % sample == 0


def call_name(correlation: bytes) -> str:
    """Ties the line to the gateway's in `./quire trace`."""
    return f"{zlib.crc32(correlation):08x}"
