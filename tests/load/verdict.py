"""What was promised, what was measured, and whether it held: the table at the end of a run."""

from dataclasses import dataclass, field


@dataclass
class Verdict:
    rows: list[tuple[str, str, str, str, bool | None]] = field(default_factory=list)

    def judge(self, where: str, promise: str, measured: str, bound: str, kept: bool) -> None:
        self.rows.append((where, promise, measured, bound, kept))

    def tell(self, where: str, what: str, measured: str) -> None:
        """A figure that nothing is promised of."""
        self.rows.append((where, what, measured, "", None))

    @property
    def broken(self) -> list[str]:
        return [f"{where}: {promise}: {measured}, not {bound}" for where, promise, measured, bound, kept in self.rows if kept is False]

    def table(self) -> str:
        head = ("where", "promise", "measured", "bound", "")
        lines = [head, *((where, promise, measured, bound, {True: "kept", False: "BROKEN", None: ""}[kept])
                         for where, promise, measured, bound, kept in self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
        return "\n".join("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths)).rstrip() for line in lines)


def ms(us: float) -> str:
    return f"{us / 1000:,.1f} ms"


def kinds(figures: dict) -> str:
    """How many answers of each kind."""
    return ", ".join(f"{kind} {outcome['count']:,}" for kind, outcome in figures["outcomes"].items() if outcome["count"])


def cores(busy: dict[str, float]) -> str:
    """How many of them each part kept busy."""
    return ", ".join(f"{part} {share:.2f}" for part, share in busy.items())


def times(value: float, of: float) -> str:
    return f"{value / of:.2f}" if of else "n/a"
