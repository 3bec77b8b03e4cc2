#!/usr/bin/env python3
"""Draws docs/architecture.svg from docs/architecture.drawing.

    docs/draw.py            writes the picture
    docs/draw.py --check    fails when the picture is not what the drawing says

A line of the drawing is one of
    size WIDTH HEIGHT
    room NAME X Y WIDTH HEIGHT "title"
    box NAME X Y WIDTH HEIGHT "title" "line" ... [topic] [strong | faint]
    arrow BOX.SIDE[@SHARE] BOX.SIDE[@SHARE] ["label"] [strong | faint] [TURN]
SHARE says where on the side (0 to 1, from its left or top), TURN where between two facing sides the arrow turns. `#` begins a comment, `-` is an empty line of a box.
"""

import shlex
import sys
from html import escape
from pathlib import Path
from string import Template

FOLDER = Path(__file__).parent
LIGHT = {"paper": "#fcfcfa", "room": "#f1f3f5", "card": "#fff", "ink": "#1d2127", "soft": "#5b6470", "line": "#8c96a3", "strong": "#2557c7"}
DARK = {"paper": "#15171b", "room": "#1c1f25", "card": "#262b33", "ink": "#e6e8eb", "soft": "#a3adba", "line": "#75808e", "strong": "#8fb2ff"}
SHAPES = """
    text { font-family: system-ui, "DejaVu Sans", sans-serif; font-size: 12px; text-anchor: middle; }
    .title { font-size: 14px; font-weight: 600; } .room-title { font-size: 12px; letter-spacing: .05em; }
    .topic .title { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 12.5px; }
    .box.strong rect { stroke-width: 1.6; } .box.faint rect { stroke-dasharray: 4 3; }
    .arrow { fill: none; stroke-width: 1.4; marker-end: url(#tip); }
    .arrow.strong { stroke-width: 2; marker-end: url(#tip-strong); } .arrow.faint { stroke-dasharray: 4 3; }
    .label { font-size: 11.5px; paint-order: stroke; stroke-width: 5px; stroke-linejoin: round; }
"""
# Not by CSS variables: not every program that shows an SVG knows them, and what is unknown is black.
COLOURS = """
    .paper { fill: $paper; } .room { fill: $room; } text { fill: $soft; } .title { fill: $ink; }
    .box rect { fill: $card; stroke: $line; } .box.strong rect { stroke: $strong; }
    .arrow { stroke: $line; } .arrow.strong { stroke: $strong; } .tip { fill: $line; } .tip-strong { fill: $strong; }
    .label { stroke: $paper; } .label.in-room { stroke: $room; }
"""
MARKER = '<marker id="{0}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto"><path class="{0}" d="M0 0L8 4L0 8z"/></marker>'
FLAGS = {"strong", "faint", "topic"}
LINE_PX, CORNER_PX = 16, 7


class Drawing:
    def __init__(self, text):
        self.size, self.boxes, self.rooms, self.parts = (0, 0), {}, [], []
        for number, line in enumerate(text.splitlines(), 1):
            words = shlex.split(line, comments=True)
            if not words:
                continue
            try:
                getattr(self, f"_{words[0]}")(*words[1:])
            except (AttributeError, TypeError, ValueError, KeyError) as fault:
                raise SystemExit(f"line {number} of the drawing can't be read: {line}\n({fault!r})") from fault

    def _size(self, width, height):
        self.size = int(width), int(height)

    def _room(self, name, x, y, width, height, title):
        self.boxes[name] = x, y, width, height = int(x), int(y), int(width), int(height)
        self.rooms.append(self.boxes[name])
        self.parts.append(f'<rect class="room" x="{x}" y="{y}" width="{width}" height="{height}" rx="12"/>'
                          f'<text class="room-title" x="{x + width / 2:g}" y="{y + 22}">{escape(title)}</text>')

    def _box(self, name, x, y, width, height, *words):
        self.boxes[name] = x, y, width, height = int(x), int(y), int(width), int(height)
        flags = [word for word in words if word in FLAGS]
        lines = ["" if word == "-" else word for word in words if word not in FLAGS]
        top = y + height / 2 - (len(lines) - 1) * LINE_PX / 2 + 4.5
        texts = "".join(f'<text{" class=\"title\"" if i == 0 else ""} x="{x + width / 2:g}" y="{top + i * LINE_PX:g}">{escape(line)}</text>'
                        for i, line in enumerate(lines))
        self.parts.append(f'<g class="{" ".join(["box", *flags])}"><rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8"/>{texts}</g>')

    def _arrow(self, start, end, *words):
        flags = " ".join(["arrow", *(word for word in words if word in FLAGS)])
        turn = next((float(word) for word in words if word.replace(".", "").isdigit()), 0.5)
        label = next((word for word in words if word not in FLAGS and not word.replace(".", "").isdigit()), "")
        (x1, y1, side), (x2, y2, _) = self._place(start), self._place(end)
        if side in ("left", "right"):
            middle = x1 + (x2 - x1) * turn
            points = [(x1, y1), (middle, y1), (middle, y2), (x2, y2)]
        elif x1 == x2:
            points = [(x1, y1), (x2, y2)]
        else:
            points = [(x1, y1), (x1, y2), (x2, y2)]
        self.parts.append(f'<path class="{flags}" d="{rounded(points)}"/>')
        if label:
            self.parts.append(self._label(label, (x1 + x2) / 2, (y1 + y2) / 2 if side != "right" or y1 == y2 else y2))

    def _label(self, label, x, y):
        in_room = any(left < x < left + width and top < y < top + height for left, top, width, height in self.rooms)
        return f'<text class="label{" in-room" if in_room else ""}" x="{x:g}" y="{y + 4:g}">{escape(label)}</text>'

    def _place(self, text):
        name, _, rest = text.partition(".")
        side, _, share = rest.partition("@")
        x, y, width, height = self.boxes[name]
        share = float(share or 0.5)
        return {"left": (x, y + height * share), "right": (x + width, y + height * share),
                "top": (x + width * share, y), "bottom": (x + width * share, y + height)}[side] + (side,)

    def svg(self):
        width, height = self.size
        head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
                f'aria-label="Requests go from the proxy through the gateway to Kafka topics and their consumers; replies come back over quire.replies.">')
        paper = f'<rect width="{width}" height="{height}" class="paper" rx="14"/>'
        return "\n".join([head, f"<style>{style()}</style>", f'<defs>{MARKER.format("tip")}{MARKER.format("tip-strong")}</defs>', paper, *self.parts, "</svg>", ""])


def style():
    colours = Template(COLOURS)
    return f"{SHAPES}{colours.substitute(LIGHT)}@media (prefers-color-scheme: dark) {{{colours.substitute(DARK)}}}\n"


def rounded(points):
    """A path through the points whose corners are round."""
    points = [point for i, point in enumerate(points) if i == 0 or point != points[i - 1]]
    path = f"M{points[0][0]:g} {points[0][1]:g}"
    for (ax, ay), (bx, by), (cx, cy) in zip(points, points[1:], points[2:]):
        radius = min(CORNER_PX, (abs(bx - ax) + abs(by - ay)) / 2, (abs(cx - bx) + abs(cy - by)) / 2)
        before = bx - radius * sign(bx - ax), by - radius * sign(by - ay)
        after = bx + radius * sign(cx - bx), by + radius * sign(cy - by)
        path += f"L{before[0]:g} {before[1]:g}Q{bx:g} {by:g} {after[0]:g} {after[1]:g}"
    return path + f"L{points[-1][0]:g} {points[-1][1]:g}"


def sign(number):
    return (number > 0) - (number < 0)


def drawn():
    return Drawing((FOLDER / "architecture.drawing").read_text()).svg()


def main():
    picture = FOLDER / "architecture.svg"
    if "--check" in sys.argv[1:]:
        if picture.read_text() != drawn():
            raise SystemExit("docs/architecture.svg is not what docs/architecture.drawing says: run docs/draw.py")
    else:
        picture.write_text(drawn())


if __name__ == "__main__":
    main()
