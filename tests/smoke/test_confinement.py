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


def test_only_the_proxy_is_published(stack):
    ids = stack.compose("ps", "-q").split()
    published = [bindings for container in ids
                 for bindings in json.loads(stack.inspect(container, "{{json .HostConfig.PortBindings}}") or "{}").values()]
    ports = [os.environ[name] for name in ("QUIRE_HTTP_PORT", "QUIRE_HTTPS_PORT")]
    assert published == [[{"HostIp": "127.0.0.1", "HostPort": port}] for port in ports]


def test_no_secret_in_environment_arguments_or_logs(stack):
    words = {path.name: path.read_text().split() for path in (ROOT / "compose/secrets").iterdir() if path.name != "seal_public"}
    key = words.pop("tls_certificate")
    secrets = [last for *_, last in words.values()] + [key[key.index("KEY-----") + 1]]
    ids = stack.compose("ps", "-aq").split()
    inspected = subprocess.run(["docker", "inspect", *ids], text=True, capture_output=True, check=True).stdout
    logs = stack.compose("logs", "--no-color")
    processes = subprocess.run(["ps", "axeww"], text=True, capture_output=True, check=True).stdout
    for secret in secrets:
        assert len(secret) >= 32
        assert secret not in inspected and secret not in logs and secret not in processes
