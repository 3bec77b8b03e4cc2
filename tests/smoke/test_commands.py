"""./quire's own commands: what they say of a stack that is whole, hurt or not there, and that a wrong argument changes nothing."""

import json
import os
import re
import subprocess

import pytest

from conftest import ROOT, wait_until

KEPT = ROOT / "compose/.env"


def run(*words, cwd=ROOT, **environment):
    return subprocess.run([*words], cwd=cwd, text=True, capture_output=True, timeout=600, env=os.environ | environment)


def quire(*words, **environment):
    return run(str(ROOT / "quire"), *words, **environment)


def plain_compose(*words):
    """Docker's own command at a terminal that knows of the stack no more than its project's name; from a folder of its own, as paths mustn't depend on that."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QUIRE_")}
    return subprocess.run(["docker", "compose", "--project-directory", str(ROOT / "compose"), *words], cwd="/", text=True, capture_output=True, timeout=300,
                          env=environment, check=True)


def rows(said):
    """Of ./quire status: the first words of each part's row."""
    return {line.split()[0]: line for line in said.split("\n\n")[0].splitlines()[1:]}


def test_plain_compose_has_the_configuration_that_runs(stack):
    """Else whatever it is asked to do makes servers anew on the way, and the stack with them."""
    ours = sorted(quire("compose", "config", "--hash", "*").stdout.splitlines())
    assert len(ours) > 10 and sorted(plain_compose("config", "--hash", "*").stdout.splitlines()) == ours
    labels = '{{.Label "com.docker.compose.service"}} {{.Label "com.docker.compose.config-hash"}}'
    running = run("docker", "ps", "--filter", f"label=com.docker.compose.project={os.environ['COMPOSE_PROJECT_NAME']}", "--format", labels)
    assert set(running.stdout.splitlines()) <= set(ours)


def test_plain_compose_runs_a_step_beside_the_stack_that_runs(stack):
    containers = stack.compose("ps", "-q")
    began = stack.inspect(stack.containers("kafka")[0], "{{.State.StartedAt}}")
    assert "topics.ready" in plain_compose("run", "--rm", "-T", "topics").stdout
    assert stack.compose("ps", "-q") == containers and stack.inspect(stack.containers("kafka")[0], "{{.State.StartedAt}}") == began


@pytest.mark.timeout(600)
def test_up_starts_a_server_that_is_stopped_although_something_else_changed(stack, account):
    stack.compose("stop", "kafka")
    stack.quire("up", QUIRE_PROXY_CONNECTIONS_AN_ADDRESS="4000")
    assert account.send("GET", "/auth/me").status_code == 200
    assert quire("status").returncode == 0  # the next up takes the setting back


def test_status_tells_of_a_part_that_is_stopped_or_gone(stack):
    whole = quire("status")
    assert whole.returncode == 0 and re.search(r" healthy ", rows(whole.stdout)["kafka-1"]) and re.search(r" done ", rows(whole.stdout)["topics-1"])
    try:
        stack.compose("stop", "redis-exporter")
        stopped = quire("status")
        assert stopped.returncode == 1 and re.search(r" exited \(\d+\) ", rows(stopped.stdout)["redis-exporter-1"])
        stack.compose("rm", "-f", "redis-exporter")
        gone = quire("status")
        assert gone.returncode == 1 and re.search(r" missing", rows(gone.stdout)["redis-exporter"])
    finally:
        stack.quire("up")


def test_up_on_volumes_of_another_checkout_tells_that_nobody_is_logged_in(stack):
    """Its demo account has a password that only that one knows."""
    demo = ROOT / "compose/secrets/demo"
    before = demo.read_text()
    try:
        demo.write_text("a password of this checkout\n")
        assert "Nobody is logged in here" in stack.quire("up", QUIRE_HOME=str(ROOT / ".quire/nobody"))
    finally:
        demo.write_text(before)
    assert "Nobody" not in stack.quire("up")


@pytest.mark.parametrize("words", [("status",), ("logs",), ("dead-letters",), ("scale", "query=1"), ("rotate-keys",), ("rotate-passwords",), ("tell-again",)])
def test_a_stack_that_is_not_there_is_neither_changed_nor_started(stack, words):
    project = f"{os.environ['COMPOSE_PROJECT_NAME']}-nobody"
    keys, kept = (ROOT / "compose/secrets/seal_secret").read_text(), KEPT.read_text()
    done = quire(*words, COMPOSE_PROJECT_NAME=project)
    assert done.returncode == 1 and "the stack is not running; ./quire up starts it" in done.stderr
    assert run("docker", "ps", "-aq", "--filter", f"label=com.docker.compose.project={project}").stdout == ""
    assert (ROOT / "compose/secrets/seal_secret").read_text() == keys and KEPT.read_text() == kept


@pytest.mark.parametrize("words", [
    ("status", "now"), ("secrets", "redis"), ("tell-again", "all"), ("rotate-keys", "twice"), ("rotate-passwords", "redis"), ("down", "--all"), ("up", "stats"),
    ("logs", "--bogus"), ("logs", "--request"), ("logs", "nosuch"), ("compose",), ("scale",), ("scale", "query=5", "session=bad"), ("scale", "query=0"),
    ("scale", "query=100"), ("scale", "kafka=2"), ("scale", "query")])
def test_a_wrong_argument_is_refused_whole(stack, words):
    kept = KEPT.read_text()
    done = quire(*words)
    assert done.returncode == 2 and "Usage: ./quire " + words[0] in done.stderr, done.stderr
    assert KEPT.read_text() == kept


def test_logs_are_json_lines_by_time(stack, account):
    account.send("GET", "/auth/me", headers={"X-Request-ID": "smoke-logs-0001"})
    wait_until("the request is in the lines", lambda: "smoke-logs-0001" in quire("logs", "proxy").stdout)
    lines = [json.loads(line) for line in quire("logs").stdout.splitlines()]
    assert {"kafka-1", "primary-1", "redis-1"} <= {line.get("container") for line in lines}
    assert {"proxy", "gateway", "query"} <= {line.get("service") for line in lines}
    # By the engine's time, which has nanoseconds; what a server writes as JSON has the time of the thread that wrote it.
    servers = [line["time"] for line in lines if "text" in line and len(line["time"]) == len("2026-01-31T00:00:00.123456789Z")]
    assert len(servers) > 10
    assert servers == sorted(servers)


def test_dead_letters_of_a_topic_that_is_not_there(stack):
    done = quire("dead-letters", "list", "nosuch")
    assert done.returncode == 1 and "there is no topic nosuch" in done.stderr and "KafkaError" not in done.stderr


@pytest.mark.parametrize("said, told", [("permission denied while trying to connect to the Docker daemon socket", "doesn't let you in"),
                                        ("Cannot connect to the Docker daemon", "is not running")])
@pytest.mark.parametrize("command", ["status", "logs"])
def test_an_engine_that_refuses_is_told_from_one_that_does_not_run(tmp_path, command, said, told):
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
    docker.chmod(0o755)
    done = quire(command, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert done.returncode == 1 and told in done.stderr
