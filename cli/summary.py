"""What an import says at its end: what became of the files, and why some did not become documents."""

import collections

from cli.outcome import NotImported
from cli.terminal import harmless_line

_NAMES_MAX = 3
_LINES_MAX = 20
_REASONS_MAX = 12


class Summary:
    def __init__(self) -> None:
        self.counts: collections.Counter[str] = collections.Counter()
        self.left_out: list[tuple[str, NotImported]] = []

    def leave_out(self, name: str, why: NotImported) -> None:
        self.left_out.append((name, why))
        self.counts["failed" if why.failed else "skipped"] += 1

    def lines(self, verbose: bool) -> list[str]:
        """Skipped files by reason with a few names, failed ones each with what is wrong, up to a bound that `verbose` lifts."""
        reasons: dict[tuple[bool, str], list[tuple[str, str]]] = {}
        for name, why in sorted(self.left_out, key=lambda entry: entry[0]):
            reasons.setdefault((why.failed, why.reason), []).append((name, why.detail))
        lines, rare = [], []
        for (failed, reason), files in sorted(reasons.items(), key=lambda entry: (entry[0][0], -len(entry[1]), entry[0][1])):
            shown = len(files) if verbose else _LINES_MAX if failed else _NAMES_MAX
            if failed or verbose:
                lines += [self._line(failed, reason, name, detail) for name, detail in files[:shown]]
                if len(files) > shown:
                    lines.append(f"  failed   ... and {len(files) - shown} more: {reason} (--verbose names all)")
            elif len(lines) >= _REASONS_MAX:
                rare.append(len(files))
            else:
                names = ", ".join(harmless_line(name) for name, _ in files[:shown]) + (", ..." if len(files) > shown else "")
                lines.append(f"  skipped  {len(files)} {harmless_line(reason)}: {names}")
        if rare:
            lines.insert(_REASONS_MAX, f"  skipped  {sum(rare)} for {len(rare)} rarer reasons (--verbose names all)")
        return lines

    @staticmethod
    def _line(failed: bool, reason: str, name: str, detail: str) -> str:
        return harmless_line(f"  {'failed ' if failed else 'skipped'}  {name}: {reason}{f' ({detail})' if detail else ''}")

    def total(self, seconds: float, dry_run: bool) -> str:
        words = ", ".join(f"{self.counts[outcome]} {outcome}" for outcome in ("added", "updated", "unchanged", "skipped", "failed", "removed"))
        return f"{words}, in {seconds:.1f} s.{' Nothing was written (--dry-run).' if dry_run else ''}"
