"""What an import says at its end: what became of the files, and why some did not become documents."""

import collections

from cli.outcome import NotImported
from cli.terminal import harmless_line

# What a line and the total say of each outcome: when it was done, and when it would be.
_DONE = {"added": "added", "updated": "updated", "removed": "removed"}
_WOULD = {"added": "add", "updated": "update", "removed": "remove"}

_NAMES_MAX = 3
_LINES_MAX = 20
_REASONS_MAX = 12


def _some(names: list[str], most: int) -> str:
    return ", ".join(map(harmless_line, names[:most])) + (", ..." if len(names) > most else "")


class Summary:
    """`is_told`: these outcomes have a line for each name. `would` holds names of documents that would be removed, had somebody agreed."""

    def __init__(self, dry_run: bool = False, is_told: tuple[str, ...] = ("removed",)) -> None:
        self.counts: collections.Counter[str] = collections.Counter()
        self.left_out: list[tuple[str, NotImported]] = []
        self.dry_run, self.is_told = dry_run, is_told
        self.names: dict[str, list[str]] = {}
        self.would: list[str] = []
        self.guessed: dict[str, str] = {}  # encoding by name

    def count(self, outcome: str, name: str) -> None:
        self.counts[outcome] += 1
        if outcome in self.is_told:
            self.names.setdefault(outcome, []).append(name)

    def leave_out(self, name: str, why: NotImported) -> None:
        self.left_out.append((name, why))
        self.counts["failed" if why.failed else "skipped"] += 1

    def lines(self, verbose: bool) -> list[str]:
        """What became of those that are told by name, then skipped files by reason with a few names, failed ones each with what is wrong; each up to a
        bound that `verbose` lifts."""
        words = _WOULD if self.dry_run else _DONE
        told = [line for outcome, word in words.items() for line in self._named(word, self.names.get(outcome, []), verbose)]
        return told + self._named("remove", self.would, verbose) + self._guesses(verbose) + self._left_out(verbose)

    @staticmethod
    def _named(word: str, names: list[str], verbose: bool) -> list[str]:
        shown = names if verbose else names[:_LINES_MAX]
        more = len(names) - len(shown)
        return [harmless_line(f"  {word:7}  {name}") for name in shown] + ([f"  {word:7}  ... and {more} more (--verbose names all)"] if more else [])

    def _guesses(self, verbose: bool) -> list[str]:
        """Text in a guessed encoding may be noise, which only a person can see."""
        by_encoding: dict[str, list[str]] = {}
        for name, encoding in sorted(self.guessed.items()):
            by_encoding.setdefault(encoding, []).append(name)
        return [f"  guessed  {len(names)} read as {encoding}: {_some(names, len(names) if verbose else _NAMES_MAX)}" for encoding, names in by_encoding.items()]

    def _left_out(self, verbose: bool) -> list[str]:
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
                lines.append(f"  skipped  {len(files)} {harmless_line(reason)}: {_some([name for name, _ in files], shown)}")
        if rare:
            lines.insert(_REASONS_MAX, f"  skipped  {sum(rare)} for {len(rare)} rarer reasons (--verbose names all)")
        return lines

    @staticmethod
    def _line(failed: bool, reason: str, name: str, detail: str) -> str:
        return harmless_line(f"  {'failed ' if failed else 'skipped'}  {name}: {reason}{f' ({detail})' if detail else ''}")

    def total(self, seconds: float) -> str:
        would = " would be" if self.dry_run else ""
        words = [f"{self.counts[outcome]}{would if outcome in _DONE else ''} {outcome}"
                 for outcome in ("added", "updated", "unchanged", "skipped", "failed", "removed")]
        return f"{', '.join(words)}, in {seconds:.1f} s.{' Nothing was written (--dry-run).' if self.dry_run else ''}"
