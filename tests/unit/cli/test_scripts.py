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


def command(script, stubs, *words, then=""):
    return ["bash", "-euo", "pipefail", "-c", f"{STUBS}\n{stubs}\n. {ROOT}/scripts/{script}.sh\n{then}", script, *words]


def run(script, stubs, *words, then=""):
    return subprocess.run(command(script, stubs, *words, then=then), capture_output=True, text=True, timeout=60, check=True).stdout


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


def test_a_rotation_keeps_the_key_in_use_also_after_one_that_was_stopped(tmp_path):
    """Gateways seal with the key that was published: without it nobody can log in until they have read the new one."""
    def do(*words):
        run("secrets", f"QUIRE_SECRETS={tmp_path}; docker() {{ (cd {ROOT} && python3 -B -m cli.seal_key); }}", then="; ".join(words))
        return [line.split() for line in (tmp_path / "seal_secret").read_text().splitlines()]

    first, = do("seal_keys_make", "seal_keys_publish")
    stopped, kept = do("seal_keys_make")
    assert kept == first != stopped
    new, kept = do("seal_keys_make")
    assert kept == first and new[1:] not in (first[1:], stopped[1:])
    do("seal_keys_publish")
    assert (tmp_path / "seal_public").read_text().split() == new[:2]
    assert do("seal_keys_make")[1] == new


def test_a_certificate_is_named_from_where_the_caller_is(tmp_path):
    """Compose would take the path for one below its own folder."""
    (tmp_path / "real.pem").touch()
    (tmp_path / "my.pem").symlink_to("real.pem")
    for told, meant in (("./my.pem", f"{tmp_path}/my.pem"), ("/etc/my.pem", "/etc/my.pem")):
        stubs = f"cd {tmp_path}; QUIRE_ROOT={ROOT} command=up QUIRE_TLS_CERTIFICATE={told}"
        assert run("common", stubs, then='echo "$QUIRE_TLS_CERTIFICATE"; sh -c \'echo "$QUIRE_TLS_CERTIFICATE"\'').splitlines() == [meant, meant]


def test_a_certificate_that_the_proxy_can_not_read_is_told_before_the_proxy_fails():
    stubs = "QUIRE_SECRETS=/secrets QUIRE_TLS_CERTIFICATE=/my.pem; docker() { false; }"
    done = subprocess.run(command("secrets", stubs, then="tls_certificate_check"), capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "can't read /my.pem: chmod o+r" in done.stderr
    for nothing_to_ask in ("", "/secrets/tls_certificate"):
        run("secrets", f"QUIRE_SECRETS=/secrets QUIRE_TLS_CERTIFICATE={nothing_to_ask}; docker() {{ false; }}", then="tls_certificate_check")
