"""Charts as SVG text: lines over a logarithmic or plain axis, and stacked bars. Each stands on a card of its own and knows the reader's colour
scheme, so that it reads on a white page and on a dark one. The same figures give the same bytes."""

import math
from dataclasses import dataclass, field
from html import escape

LIGHT = ("#0969da", "#bc4c00", "#1a7f37", "#8250df", "#cf222e", "#0a7b83", "#9a6700", "#bf3989", "#6e7781")
DARK = ("#58a6ff", "#f0883e", "#3fb950", "#bc8cff", "#ff7b72", "#39c5cf", "#d29922", "#f778ba", "#8b949e")
WIDTH = 880
FONT_PX = 13
CHARACTER_PX = 7.0  # of this font at this size, about


def _style() -> str:
    def colours(palette: tuple[str, ...]) -> str:
        return "".join(f".f{i}{{fill:{colour}}}.s{i}{{stroke:{colour}}}" for i, colour in enumerate(palette))

    return ("<style>text{font:" + f"{FONT_PX}px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif" + "}"
            ".title{font-size:16px;font-weight:600}.small{font-size:12px}.card{fill:#ffffff;stroke:#d1d9e0}.ink{fill:#1f2328}.quiet{fill:#59636e}"
            ".grid{stroke:#d1d9e0;stroke-width:1}.minor{stroke:#eff2f5;stroke-width:1}.axis{stroke:#818b98}.on{fill:#ffffff}"
            ".line{fill:none;stroke-width:2.2;stroke-linejoin:round}.dash{stroke-dasharray:5 4}" + colours(LIGHT) +
            "@media (prefers-color-scheme:dark){.card{fill:#0d1117;stroke:#3d444d}.ink{fill:#e6edf3}.quiet{fill:#9198a1}"
            ".grid{stroke:#30363d}.minor{stroke:#1c2128}.axis{stroke:#656c76}.on{fill:#0d1117}" + colours(DARK) + "}</style>")


class Canvas:
    def __init__(self, height: int, title: str, subtitle: str, width: int = WIDTH) -> None:
        self.height = height
        self.parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">',
                      f"<title>{escape(title)}</title>", _style(), f'<rect class="card" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8"/>']
        self.text(24, 32, title, "ink title")
        self.text(24, 52, subtitle, "quiet")

    def text(self, x: float, y: float, text: str, style: str = "quiet", anchor: str = "start", turn: bool = False) -> None:
        turned = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turn else ""
        self.parts.append(f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turned}>{escape(text)}</text>')

    def line(self, x1: float, y1: float, x2: float, y2: float, style: str) -> None:
        self.parts.append(f'<line class="{style}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')

    def path(self, points: list[tuple[float, float]], style: str) -> None:
        self.parts.append(f'<polyline class="{style}" points="' + " ".join(f"{x:.1f},{y:.1f}" for x, y in points) + '"/>')

    def dot(self, x: float, y: float, style: str) -> None:
        self.parts.append(f'<circle class="{style}" cx="{x:.1f}" cy="{y:.1f}" r="3.2"/>')

    def box(self, x: float, y: float, width: float, height: float, style: str) -> None:
        self.parts.append(f'<rect class="{style}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>')

    def done(self) -> str:
        return "\n".join([*self.parts, "</svg>"]) + "\n"


def number(value: float) -> str:
    """1,000 and 0.5: as people write it, with three digits that count."""
    if value >= 100:
        return f"{round(value):,}"
    return f"{value:.3g}"


@dataclass
class Axis:
    """Where a value stands between two ends of the picture, `low_px` for `low`."""
    low: float
    high: float
    low_px: float
    high_px: float
    logarithmic: bool = True

    def at(self, value: float) -> float:
        if self.low == self.high:
            return (self.low_px + self.high_px) / 2  # one value alone
        if self.logarithmic:
            part = (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        else:
            part = (value - self.low) / (self.high - self.low)
        return self.low_px + part * (self.high_px - self.low_px)

    def ticks(self) -> tuple[list[float], list[float]]:
        """Those that are named, and the fainter ones between."""
        if not self.logarithmic:
            step = 10 ** math.floor(math.log10(self.high - self.low))
            step = next(step * part for part in (0.1, 0.2, 0.5, 1, 2) if (self.high - self.low) / (step * part) <= 8)
            count = int((self.high - self.low) / step + 1e-9)
            return [self.low + step * i for i in range(count + 1)], []
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        few = math.log10(self.high / self.low) <= 2.5
        named = [10.0**d * part for d in decades for part in ((1, 2, 5) if few else (1,))]
        between = [10.0**d * part for d in decades for part in range(2, 10)]
        inside = lambda value: self.low * 0.999 <= value <= self.high * 1.001  # noqa: E731
        return [tick for tick in named if inside(tick)], [tick for tick in between if inside(tick) and tick not in named]


def around(values: list[float]) -> tuple[float, float]:
    """Ends of a logarithmic axis: the next round figure (1, 2, 5) below and above."""
    steps = [10.0**d * part for d in range(-4, 9) for part in (1, 2, 5)]
    return max(step for step in steps if step <= min(values)), min(step for step in steps if step >= max(values) * 1.001)


@dataclass
class Line:
    """points: (x, y, least, most); the last two show what the rounds differ by."""
    name: str
    colour: int
    points: list[tuple[float, float, float, float]]
    dashed: bool = False


@dataclass
class LineChart:
    title: str
    subtitle: str
    x_label: str
    y_label: str
    lines: list[Line]
    x_ticks: list[float]
    x_logarithmic: bool = True
    height: int = 430
    label_px: int = 190  # room for the names at the right
    _placed: list[float] = field(default_factory=list)

    def draw(self) -> str:
        canvas = Canvas(self.height, self.title, self.subtitle)
        left, right, top, bottom = 78, WIDTH - self.label_px - 14, 72, self.height - 56
        x = Axis(min(self.x_ticks), max(self.x_ticks), left, right, self.x_logarithmic)
        y = Axis(*around([edge for line in self.lines for point in line.points for edge in point[1:]]), bottom, top)
        self._frame(canvas, x, y)
        for line in self.lines:
            self._line(canvas, line, x, y)
        self._names(canvas, right + 12, y)
        return canvas.done()

    def _frame(self, canvas: Canvas, x: Axis, y: Axis) -> None:
        named, between = y.ticks()
        for tick in between:
            canvas.line(x.low_px, y.at(tick), x.high_px, y.at(tick), "minor")
        for tick in named:
            canvas.line(x.low_px, y.at(tick), x.high_px, y.at(tick), "grid")
            canvas.text(x.low_px - 9, y.at(tick) + 4.5, number(tick), anchor="end")
        for tick in self.x_ticks:
            canvas.line(x.at(tick), y.low_px, x.at(tick), y.low_px + 5, "axis")
            canvas.text(x.at(tick), y.low_px + 21, number(tick), anchor="middle")
        canvas.line(x.low_px, y.low_px, x.high_px, y.low_px, "axis")
        canvas.text((x.low_px + x.high_px) / 2, y.low_px + 43, self.x_label, anchor="middle")
        canvas.text(22, (y.low_px + y.high_px) / 2, self.y_label, anchor="middle", turn=True)

    def _line(self, canvas: Canvas, line: Line, x: Axis, y: Axis) -> None:
        canvas.path([(x.at(point[0]), y.at(point[1])) for point in line.points], f"line s{line.colour}" + (" dash" if line.dashed else ""))
        for at, value, least, most in line.points:
            if most > least:
                canvas.line(x.at(at), y.at(least), x.at(at), y.at(most), f"s{line.colour}")
            if not line.dashed:
                canvas.dot(x.at(at), y.at(value), f"f{line.colour}")

    def _names(self, canvas: Canvas, x_px: float, y: Axis) -> None:
        """Each beside the end of its line, pushed down where another stands already."""
        last_px = -math.inf
        for line in sorted(self.lines, key=lambda line: y.at(line.points[-1][1])):
            last_px = max(y.at(line.points[-1][1]) + 4.5, last_px + FONT_PX + 4)
            canvas.text(x_px, last_px, line.name, f"f{line.colour}")


@dataclass
class Bar:
    name: str
    parts: dict[str, float]  # from left to right


def stacked_bars(title: str, subtitle: str, unit: str, colours: dict[str, int], panels: list[tuple[str, list[Bar]]]) -> str:
    """Panels one under the other, each with a scale of its own. `colours`: of every part, in the order of the legend."""
    bar_px, gap_px, left, right = 20, 9, 250, WIDTH - 100
    tall = sum(66 + len(bars) * (bar_px + gap_px) for _, bars in panels)
    canvas = Canvas(96 + tall + 8, title, subtitle)
    _legend(canvas, colours)
    top = 100.0
    for heading, bars in panels:
        canvas.text(24, top + 12, heading, "ink")
        scale = Axis(0, max(sum(bar.parts.values()) for bar in bars), left, right, logarithmic=False)
        bottom = top + 22 + len(bars) * (bar_px + gap_px)
        for tick in scale.ticks()[0]:
            canvas.line(scale.at(tick), top + 20, scale.at(tick), bottom, "grid")
            canvas.text(scale.at(tick), bottom + 16, number(tick), anchor="middle")
        for row, bar in enumerate(bars):
            _bar(canvas, bar, scale, top + 24 + row * (bar_px + gap_px), bar_px, unit, colours)
        top = bottom + 44
    return canvas.done()


def _legend(canvas: Canvas, colours: dict[str, int]) -> None:
    at = 24.0
    for part, colour in colours.items():
        canvas.box(at, 68, 11, 11, f"f{colour}")
        canvas.text(at + 15, 78, part, "quiet small")
        at += 23 + len(part) * CHARACTER_PX


def _bar(canvas: Canvas, bar: Bar, scale: Axis, y_px: float, bar_px: int, unit: str, colours: dict[str, int]) -> None:
    canvas.text(scale.low_px - 10, y_px + bar_px / 2 + 4.5, bar.name, anchor="end")
    total = 0.0
    for part, value in bar.parts.items():
        begin, end = scale.at(total), scale.at(total + value)
        canvas.box(begin, y_px, max(end - begin - 0.6, 0), bar_px, f"f{colours[part]}")
        if end - begin > (len(number(value)) + 1) * CHARACTER_PX:
            canvas.text((begin + end) / 2, y_px + bar_px / 2 + 4.5, number(value), "on", anchor="middle")
        total += value
    canvas.text(scale.at(total) + 8, y_px + bar_px / 2 + 4.5, f"{number(total)} {unit}", "ink")
