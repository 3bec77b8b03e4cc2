"""docs/ and the READMEs are true where a program can tell: what they name is there, what is made is as it is made."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LEFT_OUT = {".git", ".quire", ".pytest_cache", "__pycache__", "secrets"}
FILES = [path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*") if path.is_file() and not LEFT_OUT & set(path.relative_to(ROOT).parts)]
PAGES = sorted(path for path in FILES if path.endswith(".md") and path.split("/")[0] in ("README.md", "docs", "services", "tests"))
SOURCE = re.compile(r"^[\w./{},*<>-]+\.(c|h|py|sh|sql|lua|proto|cfg|yaml|conf|properties|drawing|svg|html|css|js|json|txt|sha256)$")
FOLDER = re.compile(r"^(services|proto|tests|docs|compose|cli|scripts)/[\w./-]*/$")
DEFINITIONS = {
    ".c": r"^[A-Za-z_][\w *]*?\b{name}\(", ".py": r"^ *def {name}\(", ".lua": r"^local function {name}\(",
    ".sql": r"^CREATE (OR REPLACE )?FUNCTION (\w+\.)?{name}\(",
}


def spans(page):
    """What stands between backticks, outside of blocks of code."""
    text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text(), flags=re.S | re.M)
    return re.findall(r"`([^`\n]+)`", text)


def braces(name):
    """a/{b,c}.d is two names."""
    found = re.search(r"\{([^}]*)\}", name)
    return [name] if not found else [name[:found.start()] + part + name[found.end():] for part in found[1].split(",")]


def is_there(name, page):
    pattern = re.compile("(^|/)" + re.sub(r"<[^>]*>|\\\*", "[^/]+", re.escape(name)) + "$")
    beside = os.path.dirname(page)
    return any(pattern.search(path) for path in FILES) or os.path.exists(ROOT / beside / name)


@pytest.mark.parametrize("page", PAGES)
def test_files_that_a_page_names_are_there(page):
    named = [part for name in spans(page) if SOURCE.match(name) or FOLDER.match(name) for part in braces(name)]
    made = {"openapi.json", "/openapi.json", "/docs.css", "/docs.js"}  # served, or made by the build
    missing = [name for name in named if name not in made and not name.startswith("/")
               and not (any(path.startswith(name) for path in FILES) if name.endswith("/") else is_there(name, page))]
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, part = target.partition("#")
        if "://" in target:
            continue
        linked = (ROOT / page).parent / path if path else ROOT / page
        assert linked.exists(), target
        if part:
            heads = re.findall(r"^#+ (.*)$", linked.read_text(), re.M)
            assert part in [re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads], target


def test_functions_stand_in_the_files_that_the_walk_names():
    rows = re.findall(r"^\| `([^`]+)` \| `(\w+)\(\)` \|", (ROOT / "docs/ARCHITECTURE.md").read_text(), re.M)
    assert len(rows) > 30
    for path, function in rows:
        definition = DEFINITIONS[Path(path).suffix].format(name=function)
        assert re.search(definition, (ROOT / path).read_text(), re.M), f"{function} is not defined in {path}"


def test_every_setting_and_metric_that_a_page_names_exists():
    """A prefix that ends in _ or with * stands for several; a test or a script may have names of its own."""
    known = set()
    for path in FILES:
        if path.startswith(("services/", "scripts/", "compose/", "cli/", "tests/", "proto/")) and not path.endswith(".md"):
            known.update(re.findall(r"\b(?:QUIRE_[A-Z0-9_]+|quire_[a-z0-9_]+)\b", (ROOT / path).read_text(errors="ignore")))
    operating = (ROOT / "docs/OPERATING.md").read_text()
    known.update(re.findall(r"^\| `(QUIRE_[A-Z_]+)`", operating, re.M))
    for page in PAGES:
        for name in re.findall(r"\bQUIRE_[A-Z0-9_]+|\bquire_[a-z0-9_]+_total\b", " ".join(spans(page))):
            assert name in known or name.endswith("_") and any(one.startswith(name) for one in known), f"{page} names {name}"


def test_log_events_that_operating_names_are_logged():
    """Its own events are dotted words in backticks that look like one of those in the sources."""
    logged = set()
    for path in FILES:
        if path.startswith("services/") and path.endswith(".c"):
            logged.update(re.findall(r'"([a-z_]+\.[a-z_]+)"', (ROOT / path).read_text()))
    areas = {event.split(".")[0] for event in logged}
    named = [name for name in spans("docs/OPERATING.md") if re.fullmatch(r"[a-z_]+\.[a-z_]+", name) and name.split(".")[0] in areas]
    assert len(named) > 15
    assert [name for name in named if name not in logged] == []


def test_tests_that_security_names_are_there():
    page = ROOT / "docs/SECURITY.md"
    named = re.findall(r"`([\w/.]+)::(\w+)`", page.read_text())
    assert len(named) > 30
    for path, test in named:
        found = [file for file in FILES if file.endswith("/" + path)]
        assert found, f"there is no {path}"
        assert any(re.search(rf"\b{test}\b", (ROOT / file).read_text()) for file in found), f"{path} has no {test}"


def run(script):
    return subprocess.run([sys.executable, ROOT / "docs" / script, "--check"], capture_output=True, text=True)


def test_the_picture_is_what_the_drawing_says():
    done = run("draw.py")
    assert done.returncode == 0, done.stderr


def test_the_tables_of_settings_and_metrics_are_what_the_programs_say():
    done = run("generate.py")
    assert done.returncode == 0, done.stderr + done.stdout
