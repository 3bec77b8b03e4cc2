"""Counters and gauges as Prometheus text, under the names that the C services use. Any thread."""

import threading

_ABOUT = {
    "quire_replies_total": ("counter", "Answers."),
    "quire_expired_total": ("counter", "Requests dropped because their deadline had passed."),
    "quire_events_total": ("counter", "Events handled or put aside."),
    "quire_dead_letters_total": ("counter", "Messages put aside on the dead letter topic."),
    "quire_consumer_lag": ("gauge", "Messages of a partition that are not handled yet."),
}


class Metrics:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[tuple, float] = {}

    def add(self, name: str, value: float = 1, **labels) -> None:
        with self._lock:
            key = (name, *labels.items())
            self._values[key] = self._values.get(key, 0) + value

    def set(self, name: str, value: float, **labels) -> None:
        with self._lock:
            self._values[(name, *labels.items())] = value

    def text(self) -> str:
        with self._lock:
            values = sorted(self._values.items(), key=str)
        lines = []
        for name, (kind, about) in _ABOUT.items():
            lines += [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
            for (found, *labels), value in values:
                if found == name:
                    shown = ",".join(f'{label}="{text}"' for label, text in labels)
                    lines.append(f"{name}{{{shown}}} {value:g}")
        return "\n".join(lines) + "\n"
