"""Wrong arguments and missing input end in a sentence and status 2, an answer is told in the words that were typed."""

import pathlib
import subprocess
import sys

import httpx
import pytest

from cli import ask, client, terminal

ROOT = pathlib.Path(__file__).parents[3]


def run(module, *words, text=""):
    return subprocess.run([sys.executable, "-m", f"cli.{module}", *words], input=text, cwd=ROOT, text=True, capture_output=True,
                          env={"PATH": "/usr/bin:/bin", "QUIRE_URL": "http://127.0.0.1:1", "QUIRE_TOKEN": "t", "PYTHONDONTWRITEBYTECODE": "1"})


@pytest.mark.parametrize("module, words", [
    ("importer", ()), ("importer", ("",)), ("importer", ("n", "--parallel", "x")), ("importer", ("n", "--parallel", "0")), ("importer", ("n", "--parallel")),
    ("ask", ()), ("ask", ("",)), ("ask", (" ",)), ("ask", ("lamp", "--top", "0")), ("ask", ("lamp", "--top", "101")), ("ask", ("lamp", "--tag", "")),
    ("login", ()), ("login", ("ada@example.org",)), ("login", ("--no-such",))])
def test_wrong_arguments_are_status_2(module, words):
    done = run(module, *words)
    assert done.returncode == 2 and "Traceback" not in done.stderr and done.stdout == ""


@pytest.mark.parametrize("words, said", [(("import",), "say what to import"), (("import", "n", "--parallel"), "--parallel wants a number"),
                                         (("import", ""), "a path is empty"), (("trace",), "give a request id"), (("trace", "--slow", "id"), "not both"),
                                         (("trace", "id", "--since"), "--since takes"), (("trace", "id", "--logs"), "--logs takes"), (("trace", "?"), "no request id")])
def test_the_scripts_refuse_in_words(words, said, tmp_path):
    done = subprocess.run(["./quire", *words], cwd=ROOT, text=True, capture_output=True)
    assert done.returncode == 2 and said in done.stderr and done.stderr.startswith("quire: ") and "line " not in done.stderr


@pytest.mark.parametrize("command", sorted(path.stem for path in (ROOT / "scripts").glob("*.sh") if path.read_text().startswith("# Usage:")))
def test_help_is_the_comment_at_the_top_and_no_other(command):
    said = subprocess.run(["./quire", command, "--help"], cwd=ROOT, text=True, capture_output=True).stdout
    lines = (ROOT / "scripts" / f"{command}.sh").read_text().splitlines()
    top = lines[:next(at for at, line in enumerate(lines) if not line.startswith("#"))]
    assert [line.removeprefix("#").removeprefix(" ") for line in top] == said.splitlines()


def test_a_fault_is_told_once():
    body = {"detail": "top_k must be from 1 to 100.", "errors": [{"field": "top_k", "message": "must be from 1 to 100"}, {"field": "tags", "message": "too many"}]}
    said = client.problem(httpx.Response(422, json=body, headers={"X-Request-ID": "r1"}))
    assert said == "422: top_k must be from 1 to 100.; tags: too many (request r1)"


def test_nothing_and_one_are_told_as_such(capsys):
    style = terminal.Style(sys.stdout)
    ask.show({"results": [], "took_ms": 1.0}, "r1", style)
    assert capsys.readouterr().out == "Nothing was found, 1.0 ms, request r1\n"
    one = {"title": "t", "text": "x", "source": "s", "chunk_index": 0, "score": 1.0, "document_id": "d"}
    ask.show({"results": [one], "took_ms": 1.0}, "r1", style)
    assert capsys.readouterr().out.endswith("1 passage, 1.0 ms, request r1\n")


def test_ctrl_c_at_a_prompt_is_a_sentence(monkeypatch, capsys):
    def interrupted(prompt):
        raise KeyboardInterrupt

    from cli import login
    monkeypatch.setattr("builtins.input", interrupted)
    with pytest.raises(SystemExit) as ended:
        login.credentials(None)
    assert ended.value.code == 130 and capsys.readouterr().err.endswith("quire: stopped; nobody was logged in.\n")
