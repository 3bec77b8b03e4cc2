"""What reaches the terminal: nothing that a document could do to it, and the words that were promised."""

import io
import itertools
import json

import pytest

from cli import ask, terminal
from cli.outcome import Failed, Skipped
from cli.progress import Progress
from cli.summary import Summary

EVIL = "\x1b]0;owned\x07 \x1b[2J \x9b31m \r over \u202e gnp.exe \x00 \x7f"


@pytest.fixture
def screen(monkeypatch):
    stream = io.StringIO()
    stream.isatty = lambda: True
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    return stream


def active(text):
    return [c for c in text if c in "\x1b\x9b\x07\r\x00\x7f\u202e"]


def test_no_control_of_a_document_reaches_the_terminal(capsys):
    style = terminal.Style(io.StringIO())
    ask.show({"results": [{"title": EVIL, "text": EVIL, "highlights": [EVIL], "source": EVIL, "chunk_index": 0, "score": 1.0, "document_id": "d"}],
              "took_ms": 1.0}, "r1", style)
    said = capsys.readouterr().out
    assert active(said) == [] and "over" in said and "request r1" in said


def test_json_means_the_same_without_controls():
    safe = terminal.harmless_json(json.dumps({"text": EVIL}, ensure_ascii=False))
    assert active(safe) == [] and json.loads(safe) == {"text": EVIL}


def test_names_stay_different_and_in_one_line():
    assert terminal.harmless_line("a\nb\x1b") == "a\\nb\\x1b" and terminal.harmless_line("Zoë 灯") == "Zoë 灯"


def test_found_words_are_bold_on_a_terminal_only(screen, monkeypatch):
    result = {"text": "", "highlights": ["the **lamp** at ** two stars **lit**"]}
    bold = ask.passage(result, terminal.Style(screen))
    assert "\033[1mlamp\033[0m" in bold and "\033[1mlit\033[0m" in bold and "** two" in bold
    assert ask.passage(result, terminal.Style(io.StringIO())).strip() == "the **lamp** at ** two stars **lit**"
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\033" not in ask.passage(result, terminal.Style(screen))


def test_a_summary_counts_skipped_and_names_failed():
    summary = Summary()
    for number in range(5):
        summary.leave_out(f"n/{number}.png", Skipped("kind .png"))
    summary.leave_out("n/\x1b.pdf", Failed("broken PDF", "no\nxref"))
    for number in range(30):
        summary.leave_out(f"n/{number:02}.txt", Failed("binary"))
    lines = summary.lines(verbose=False)
    assert lines[0] == "  skipped  5 kind .png: n/0.png, n/1.png, n/2.png, ..."
    assert "  failed   n/\\x1b.pdf: broken PDF (no\\nxref)" in lines
    assert "  failed   ... and 10 more: binary (--verbose names all)" in lines and len(lines) == 23
    assert len(summary.lines(verbose=True)) == 36
    assert summary.total(1.0) == "0 added, 0 updated, 0 unchanged, 5 skipped, 31 failed, 0 removed, in 1.0 s."


def test_what_was_removed_is_named_up_to_a_bound():
    summary = Summary()
    for number in range(25):
        summary.count("removed", f"n/{number}.md")
    summary.count("added", "n/new.md")
    lines = summary.lines(verbose=False)
    assert lines[0] == "  removed  n/0.md" and lines[20:] == ["  removed  ... and 5 more (--verbose names all)"]
    assert len(summary.lines(verbose=True)) == 25


def test_a_dry_run_speaks_of_what_would_be():
    summary = Summary(dry_run=True, is_told=("added", "updated", "removed"))
    for outcome in ("added", "updated", "removed", "unchanged"):
        summary.count(outcome, f"{outcome}\x1b.md")
    assert summary.lines(verbose=True) == ["  add      added\\x1b.md", "  update   updated\\x1b.md", "  remove   removed\\x1b.md"]
    assert summary.total(1.0) == ("1 would be added, 1 would be updated, 1 unchanged, 0 skipped, 0 failed, 1 would be removed, in 1.0 s. "
                                  "Nothing was written (--dry-run).")


def test_guessed_encodings_are_told():
    summary = Summary()
    summary.guessed = {f"n/{number}.txt": "windows-1252" for number in range(5)}
    assert summary.lines(verbose=False) == ["  guessed  5 read as windows-1252: n/0.txt, n/1.txt, n/2.txt, ..."]
    assert "n/4.txt" in summary.lines(verbose=True)[0]


def test_a_summary_of_many_kinds_is_short():
    summary = Summary()
    for number in range(30):
        summary.leave_out(f"a.{number}", Skipped(f"kind .{number}"))
    summary.leave_out("b", Failed("binary"))
    lines = summary.lines(verbose=False)
    assert len(lines) == 14 and lines[12:] == ["  skipped  18 for 18 rarer reasons (--verbose names all)", "  failed   b: binary"]


@pytest.fixture
def clock(monkeypatch):
    """A second passes whenever it is looked at."""
    seconds = itertools.count()
    monkeypatch.setattr("cli.progress.time.monotonic", lambda: next(seconds))


def test_progress_is_a_line_on_a_terminal_and_rare_elsewhere(screen, monkeypatch, clock):
    monkeypatch.setenv("COLUMNS", "60")
    plain = io.StringIO()
    for stream in (screen, plain):
        progress = Progress(20, 2000, stream)
        for _ in range(20):
            progress.step(100)
        progress.close()
    drawn = screen.getvalue().split("\r")
    assert len(drawn) == 22 and all(len(line.rstrip("\n").removesuffix("\033[K")) < 60 for line in drawn)
    assert plain.getvalue().splitlines() == ["  50 %  10/20 files  1.0 kB  1 files/s  100 B/s  10 s left", "  100 %  20/20 files  2.0 kB  1 files/s  100 B/s  0 s left"]


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 120])
def test_percent_rate_and_time_left_stay_on_a_narrow_terminal(screen, monkeypatch, clock, columns):
    progress = Progress(20_000, 20_000_000_000, screen)
    for number in range(300):
        monkeypatch.setenv("COLUMNS", str(columns if number > 200 else 200))
        progress.step(1_000_000)
    last = screen.getvalue().split("\r")[-1].removesuffix("\033[K")
    assert len(last) < columns and "2 %" in last and "1 files/s" in last and last.endswith("5 h 28 min left"), last
    assert (columns >= 100) == ("300.0 MB" in last)


def test_the_rate_is_that_of_the_last_seconds(clock):
    progress = Progress(1000, 0, io.StringIO())
    for _ in range(100):
        progress.step(0)
    for _ in range(40):
        progress.tick(False)
    assert progress.stream.getvalue().splitlines()[-1].split("  ")[4:] == ["0 files/s", "0 B/s", "? left"]


def test_bytes_of_a_refused_file_were_not_read(clock):
    progress = Progress(20, 2_000_000, io.StringIO())
    progress.step(1_999_050, is_read=False)
    for _ in range(19):
        progress.step(50)
    assert "  100 %  20/20 files  950 B" in progress.stream.getvalue() and progress.size == 950


def test_a_server_that_is_away_is_waited_for_in_words(screen, clock):
    progress = Progress(20, 2000, screen)
    progress.step(100)
    progress.tick(True)
    assert screen.getvalue().endswith("1/20 files  100 B  waiting for the server\033[K")
    progress.tick(False)
    assert screen.getvalue().endswith("left\033[K")
