"""What scripts do with the words and lines that pass through them; the engine and the stack are stubs."""

import os
import pathlib
import subprocess

import pytest

from cli import trace

ROOT = pathlib.Path(__file__).parents[3]
STUBS = r"""
fail() { echo "$*" >&2; exit 1; }
refuse() { echo "$*" >&2; exit 2; }
misused() { refuse "$@"; }
engine_running() { :; }
"""


def command(script, stubs, *words):
    return ["bash", "-euo", "pipefail", "-c", f"{STUBS}\n{stubs}\n. {ROOT}/scripts/{script}.sh", script, *words]


def run(script, stubs, *words, **environment):
    return subprocess.run(command(script, stubs, *words), env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.timeout(60)
def test_the_lines_of_a_request_are_followed_as_they_come(tmp_path):
    """A follower that waits for the end of the lines prints none."""
    os.mkfifo(tmp_path / "lines")
    stubs = f'stack() {{ case $1 in config) echo gateway ;; ps) echo 1 ;; logs) cat {tmp_path}/lines ;; esac; }}'
    with subprocess.Popen(command("logs", stubs, "--request", "r1", "--follow"), stdout=subprocess.PIPE, text=True) as following:
        with open(tmp_path / "lines", "w") as lines:
            for number in (2, 1):
                print(f'{{"request_id":"r2","n":{number}}}\n{{"request_id":"r1","n":{number}}}', file=lines, flush=True)
                assert following.stdout.readline() == f'{{"request_id":"r1","n":{number}}}\n'


def test_a_trace_among_several_ids_leaves_words_that_the_program_takes(monkeypatch):
    """An option among the ids makes argparse refuse those behind it."""
    traced = "0af7651916cd43dd8448eb211c80319c"
    lines = "\n".join(f'{{"request_id":"{of}","traceparent":"00-{traced}-b7ad6b7169203331-01"}}' for of in ("r1", "r2"))
    stubs = f"""docker() {{ case $1 in ps) echo c1 gateway-1 ;; logs) echo '{lines}' ;; esac; }}
    cli_run() {{ cat >/dev/null; while [ "$1" != -- ]; do shift; done; shift 2; printf '%s\n' "$@"; }}"""
    words = run("trace", stubs, "r0", traced, "r3", "--since", "5m", "--json").splitlines()
    monkeypatch.setattr("sys.argv", ["trace", *words])
    arguments = trace.parse()
    assert (arguments.request_ids, arguments.also, arguments.since, arguments.json) == (["r0", "r1", "r2", "r3"], [traced], 300, True)
