"""Log lines as the C services write them: one JSON object a line, with the same first fields."""

import json
import sys
import threading
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
        time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
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
    """Every `sample`th request by FNV-1a of its id: all services choose the same ones."""
    digest = 0xCBF29CE484222325
    for byte in request_id.encode():
        digest = (digest ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return sample <= 1 or digest % sample == 0
