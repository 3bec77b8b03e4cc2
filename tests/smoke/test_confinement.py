"""What a container may not do, however it is asked."""

import json
import os
import subprocess

import pytest

from conftest import ROOT

OURS = ["proxy", "gateway", "session", "session-password", "documents", "query", "stats", "tags"]
ALL = [*OURS, "kafka", "primary", "replica-1", "replica-2", "redis", "prometheus"]


@pytest.mark.parametrize("service", ALL)
def test_no_root_no_capabilities_no_writable_root(stack, service):
    container = stack.containers(service)[0]
    host = json.loads(stack.inspect(container, "{{json .HostConfig}}"))
    assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"] and host["Memory"] > 0
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert stack.exec(service, "id", "-u").stdout.strip() != "0"


@pytest.mark.parametrize("service", ALL)
def test_no_compiler_in_the_image(stack, service):
    assert stack.exec(service, "sh", "-c", "command -v gcc cc clang make cmake").stdout == ""


@pytest.mark.parametrize("backend, port", [("primary", 5432), ("replica-1", 5432), ("redis", 6379)])
def test_the_gateway_reaches_no_store(stack, backend, port):
    done = stack.exec("gateway", "bash", "-c", f"timeout 2 bash -c 'exec 3<>/dev/tcp/{backend}/{port}'")
    assert done.returncode != 0
    address = stack.inspect(stack.containers(backend)[0], '{{index .NetworkSettings.Networks "quire-smoke_data" "IPAddress"}}')
    assert address
    assert stack.exec("gateway", "bash", "-c", f"timeout 2 bash -c 'exec 3<>/dev/tcp/{address}/{port}'").returncode != 0


@pytest.mark.parametrize("exporter, port", [("postgres-exporter", 9101), ("redis-exporter", 9121)])
def test_only_prometheus_reaches_what_asks_the_stores_for_others(stack, exporter, port):
    """An exporter asks any server that its caller names, with the passwords that it has."""
    networks = json.loads(stack.inspect(stack.containers(exporter)[0], "{{json .NetworkSettings.Networks}}"))
    for address in [exporter, *(network["IPAddress"] for network in networks.values())]:
        assert stack.exec("gateway", "bash", "-c", f"timeout 2 bash -c 'exec 3<>/dev/tcp/{address}/{port}'").returncode != 0
        assert stack.exec("proxy", "bash", "-c", f"timeout 2 bash -c 'exec 3<>/dev/tcp/{address}/{port}'").returncode != 0
    assert stack.exec("prometheus", "curl", "-sf", "-m", "5", "-o", "/dev/null", f"http://{exporter}:{port}/metrics").returncode == 0


def test_only_the_proxy_is_published(stack):
    ids = stack.compose("ps", "-q").split()
    published = [bindings for container in ids
                 for bindings in json.loads(stack.inspect(container, "{{json .HostConfig.PortBindings}}") or "{}").values()]
    ports = [os.environ[name] for name in ("QUIRE_HTTP_PORT", "QUIRE_HTTPS_PORT")]
    assert published == [[{"HostIp": "127.0.0.1", "HostPort": port}] for port in ports]


def all_secrets():
    words = {path.name: path.read_text().split() for path in (ROOT / "compose/secrets").iterdir() if path.name != "seal_public"}
    key = words.pop("tls_certificate")
    return [last for *_, last in words.values()] + [key[key.index("KEY-----") + 1]]


def test_no_secret_in_environment_arguments_or_logs(stack):
    secrets = all_secrets()
    ids = stack.compose("ps", "-aq").split()
    inspected = subprocess.run(["docker", "inspect", *ids], text=True, capture_output=True, check=True).stdout
    logs = stack.compose("logs", "--no-color")
    processes = subprocess.run(["ps", "axeww"], text=True, capture_output=True, check=True).stdout
    for secret in secrets:
        assert len(secret) >= 32
        assert secret not in inspected and secret not in logs and secret not in processes
    # What each process was really started with: from outside only their own user may read it, so they are asked inside.
    running = stack.compose("ps", "-q").split()
    environments = [subprocess.run(["docker", "exec", container, "sh", "-c", "cat /proc/[0-9]*/environ"], capture_output=True).stdout for container in running]
    assert not any(secret.encode() in environment for secret in secrets for environment in environments)
    # The process itself and the one that asks; Redis writes its title over its own.
    assert [environment.count(b"PATH=") >= 2 for environment in environments].count(False) <= 1


@pytest.mark.timeout(300)
def test_no_secret_in_an_image_or_its_history(stack, tmp_path):
    """Each file of each layer, also of those that a later layer hides."""
    images = sorted({stack.inspect(container, "{{.Image}}") for container in stack.compose("ps", "-aq").split()})
    secrets = all_secrets()
    history = "".join(subprocess.run(["docker", "history", "--no-trunc", image], text=True, capture_output=True, check=True).stdout for image in images)
    assert "ENTRYPOINT" in history and not any(secret in history for secret in secrets)
    known = '"quire.documents.read"'  # of topics.jsonl in one of them: or the search would find nothing whatever there was
    (tmp_path / "words").write_text("\n".join([*secrets, known]))
    with subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE) as saved:
        found = subprocess.run(["grep", "-zaoF", "-f", tmp_path / "words"], stdin=saved.stdout, capture_output=True, env={"LC_ALL": "C"}).stdout
    assert saved.returncode == 0
    assert set(found.decode().replace("\0", "\n").split()) == {known}
