"""A flame graph (Gregg, "The Flame Graph", CACM 59(6)) as SVG text: each frame is as wide as its share of the whole, and stands on its caller."""

from collections import Counter
from dataclasses import dataclass, field
from html import escape

from perf_script import KERNEL, LIBRARY, PROGRAM, THREAD, WAIT, Frame, Stack
from svg import Canvas

WIDTH, MARGIN = 1180, 14
FRAME_PX, TOP_PX = 17, 66
LEAST_SHARE = 0.003  # what is rarer is left out,
FRAMES_MAX = 700     # and so are the rarest of more than so many frames: the picture stays below 150 KB
DEPTH_MAX = 48
TEXT_PX = 6.6  # a character of the frames' text, about
COLOURS = {PROGRAM: 0, LIBRARY: 6, KERNEL: 1, THREAD: 8, WAIT: 4}  # of svg.py's palette


@dataclass
class Node:
    frame: Frame
    weight: float = 0.0
    children: dict[Frame, "Node"] = field(default_factory=dict)

    def add(self, stack: Stack, weight: float) -> None:
        node = self
        node.weight += weight
        for frame in stack[:DEPTH_MAX]:
            node = node.children.setdefault(frame, Node(frame))
            node.weight += weight

    def depth(self, least: float) -> int:
        return 1 + max((child.depth(least) for child in self.children.values() if child.weight >= least), default=0)

    def weights(self) -> list[float]:
        """Of this frame and all above it."""
        return [self.weight, *(weight for child in self.children.values() for weight in child.weights())]


def tree(stacks: Counter[Stack]) -> Node:
    root = Node(Frame("all", THREAD))
    for stack, weight in stacks.items():
        root.add(stack, weight)
    return root


def least_of(root: Node) -> float:
    """What a frame must weigh to be drawn."""
    weights = sorted(root.weights(), reverse=True)
    beyond = weights[FRAMES_MAX] * 1.000001 if len(weights) > FRAMES_MAX else 0.0
    return max(root.weight * LEAST_SHARE, beyond)


def innermost(stack: Stack) -> str:
    return stack[-1].name


def innermost_own(stack: Stack) -> str:
    """The program's own function that led there, whatever of libraries and kernel it called; where none did, the thread."""
    return next((frame.name for frame in reversed(stack) if frame.origin == PROGRAM), f"thread {stack[0].name}")


def costs(stacks: Counter[Stack], count: int, of=innermost) -> list[tuple[str, float]]:
    """The greatest shares of the whole, stacks being told apart by `of`."""
    shares: Counter[str] = Counter()
    for stack, weight in stacks.items():
        shares[of(stack)] += weight
    whole = sum(shares.values()) or 1
    return [(name, weight / whole) for name, weight in shares.most_common(count)]


def draw(title: str, subtitle: str, unit: str, stacks: Counter[Stack]) -> str:
    """`unit` of a weight, for the frames' titles."""
    root = tree(stacks)
    least = least_of(root)
    depth = root.depth(least)
    height = TOP_PX + depth * FRAME_PX + MARGIN
    canvas = Canvas(height, title, subtitle, WIDTH)
    canvas.parts.append("<style>.frame{stroke:#ffffff;stroke-width:.5;fill-opacity:.55}.name{font:11px monospace}</style>")
    scale = (WIDTH - 2 * MARGIN) / (root.weight or 1)

    def place(node: Node, left: float, level: int) -> None:
        name = node.frame.name
        width, top = node.weight * scale, height - MARGIN - (level + 1) * FRAME_PX
        share = f"{node.weight / root.weight:.1%}, {node.weight:.3g} {unit}"
        canvas.parts.append(f'<g><title>{escape(name)}: {share}</title><rect class="frame f{COLOURS[node.frame.origin]}" x="{left:.1f}" y="{top}"'
                            f' width="{width:.1f}" height="{FRAME_PX - 1}"/>')
        letters = int((width - 6) / TEXT_PX)
        if letters >= 3:
            shown = name if len(name) <= letters else name[:letters - 1] + "…"
            canvas.parts.append(f'<text class="ink name" x="{left + 3:.1f}" y="{top + 12}">{escape(shown)}</text>')
        canvas.parts.append("</g>")
        for child in sorted(node.children.values(), key=lambda child: child.frame):
            if child.weight >= least:
                place(child, left, level + 1)
                left += child.weight * scale

    if root.weight:
        place(root, MARGIN, 0)
    return canvas.done()
