"""Prometheus text, read strictly: a line that is none raises."""

import re

_LINE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([^ ]+)(?: -?\d+)?$')
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)')


class Metrics:
    def __init__(self, text):
        self.series = []  # (name, labels, value)
        self.types, self.helps = {}, {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                self.types[name] = kind
            elif line.startswith("# HELP "):
                _, _, name, about = line.split(" ", 3)
                self.helps[name] = about
            elif line and not line.startswith("#"):
                match = _LINE.match(line)
                assert match, f"no Prometheus text: {line!r}"
                labels = dict(_LABEL.findall(match[2])) if match[2] else {}
                self.series.append((match[1], labels, float(match[3])))

    def find(self, name, **labels):
        """All series of that name that have these labels."""
        return [(found, value) for series, found, value in self.series
                if series == name and all(found.get(key) == wanted for key, wanted in labels.items())]

    def sum(self, name, **labels):
        return sum(value for _, value in self.find(name, **labels))

    def names(self):
        return {name for name, _, _ in self.series}
