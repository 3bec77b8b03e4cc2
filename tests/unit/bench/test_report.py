"""README's table, the tables of docs/PERFORMANCE.md and the plots say what the kept figures say."""

import json
import pathlib
import xml.etree.ElementTree

import plots
import pytest
import report
from summary import composed_floor, spread
from svg import CHARACTER_PX

ROOT = pathlib.Path(__file__).resolve().parents[3]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("page", ["README.md", "docs/PERFORMANCE.md"])
def test_pages_say_what_the_kept_figures_say(page):
    """Else a figure could be typed, or outlive its run."""
    text = (ROOT / page).read_text()
    assert text == report.filled(text, report.sections(report.kept())[page]), "./quire bench --report makes it again"


def test_plots_are_those_of_the_kept_figures():
    kept = report.kept()
    pictures = plots.plots(kept) if kept else {}
    folder = (ROOT / report.KEPT).parent
    assert {path.name: path.read_text() for path in folder.glob("*.svg")} == pictures, "./quire bench --report makes them again"


def test_keeping_a_run_fills_pages_and_plots(summary, tmp_path):
    """All of it once, from figures to files; what stands around the markers stays."""
    (tmp_path / "docs").mkdir()
    for page in ("README.md", "docs/PERFORMANCE.md"):
        (tmp_path / page).write_text((ROOT / page).read_text())
    report.keep(summary, tmp_path)
    readme = (tmp_path / "README.md").read_text()
    assert "| `GET /auth/me` | 1,000 | 12,649 | 39.53 | 79.06 |" in readme
    assert "| CPU ms a second | 2 | 30 |" in (tmp_path / "docs/PERFORMANCE.md").read_text()
    assert readme.startswith("# Quire") and report.NO_RUN not in readme
    assert json.loads((tmp_path / report.KEPT).read_text()) == summary
    assert {path.name for path in (tmp_path / report.KEPT).parent.glob("*.svg")} == {"throughput.svg", "latency.svg", "cpu.svg", "open-loop.svg", "stored.svg"}
    page = (tmp_path / "docs/PERFORMANCE.md").read_text()
    assert "- n/a: 10,000 connections through the proxy: needs 20,512 open files" in page
    assert "| GET /auth/me | 64 | 3,200 (2,880–3,840) | 2,000 |" in page  # at its own port, through the proxy
    again = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    report.write_all(report.kept(tmp_path), tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == again


def test_a_page_without_a_marker_is_refused():
    with pytest.raises(ValueError, match="bench:readme"):
        report.filled("no marker here", {"readme": "x"})


def test_medians_and_spread_are_over_the_rounds():
    assert spread([3.0, 1.0, 2.0]) == [2.0, 1.0, 3.0]


def test_the_composed_floor_is_the_sum_of_what_the_parts_cost():
    assert composed_floor(100, 100, 100, 100) == pytest.approx(25)


def test_a_route_without_a_database_has_a_floor_without_one(summary):
    nginx, kafka = (max(row["requests_per_s"][0] for row in summary["floors"][part].values()) for part in ("nginx", "kafka"))
    parts = [nginx, kafka, summary["floors"]["redis"][0]]
    assert summary["routes"]["GET /auth/me"]["floor_per_s"] == pytest.approx(composed_floor(*parts), abs=0.1)
    assert summary["routes"]["GET /documents/{id}"]["floor_per_s"] == pytest.approx(composed_floor(*parts, summary["floors"]["postgres"]["document"][0]), abs=0.1)


def test_ratios_are_of_medians(summary):
    route = summary["routes"]["GET /auth/me"]
    assert route["connections"]["1000"]["of_floor"] == pytest.approx(route["connections"]["1000"]["requests_per_s"][0] / route["floor_per_s"], abs=1e-3)
    assert summary["routes"]["POST /documents, 1 KB"]["floor_per_s"] == 4000
    assert "floor_per_s" not in summary["routes"]["90 % read, 10 % write"]


def test_a_run_of_one_route_makes_what_it_can(summary):
    """--routes and --no-open-loop leave most of it out."""
    for part in ("stored", "forwarding", "skipped"):
        del summary[part]
    only = {"GET /auth/me": {"connections": {"64": summary["routes"]["GET /auth/me"]["connections"]["64"]}}}
    narrow = {**summary, "routes": only}
    del narrow["people"]
    assert set(plots.plots(narrow)) == {"throughput.svg", "latency.svg", "cpu.svg"}
    assert "GET /auth/me" in report.full_table(narrow)
    assert plots.plots({**narrow, "routes": {"POST /documents, 1 MB": summary["routes"]["POST /documents, 1 MB"]}}) == {}


@pytest.mark.parametrize("name", ["throughput.svg", "latency.svg", "cpu.svg", "open-loop.svg", "stored.svg"])
def test_a_plot_is_whole_and_stays_on_its_card(summary, name):
    """No mark or word outside of the picture, no two names of lines over each other."""
    root = xml.etree.ElementTree.fromstring(plots.plots(summary)[name])
    width, height = float(root.get("width")), float(root.get("height"))
    for mark in root.iter():
        for key, most in (("x", width), ("x1", width), ("x2", width), ("cx", width), ("y", height), ("y1", height), ("y2", height), ("cy", height)):
            assert 0 <= float(mark.get(key, 0)) <= most, (mark.tag, mark.attrib)
    for text in root.iter(f"{SVG}text"):
        if text.get("text-anchor") == "start":
            assert float(text.get("x")) + len(text.text) * CHARACTER_PX * 0.95 <= width, text.text
    named = [text for text in root.iter(f"{SVG}text") if text.get("class", "").startswith("f")]
    heights = sorted(float(text.get("y")) for text in named)
    assert all(below - above >= 12 for above, below in zip(heights, heights[1:], strict=False))
