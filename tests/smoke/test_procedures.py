"""docs/OPERATING.md's procedures, as an operator runs them, and what is left afterwards."""

import os
import re
import signal
import socket
import ssl
import subprocess

import pytest

from conftest import ROOT, Account, wait_until

PAGE = ROOT / "docs/OPERATING.md"
SECRETS = ROOT / "compose/secrets"
MARK = "/var/lib/postgresql/data/replicas-to-clone"  # scripts/promote.sh
PRIMARY = ("psql", "-h", "/run/postgresql", "-U", "postgres", "-d", "quire", "-qAt", "-c")


@pytest.fixture
def account(stack, request):
    """For each test its own, as they end sessions and bring back what was."""
    return Account(stack.url, request.node.name.replace("_", "-")[:40])


def well(account):
    """Log-in, write, read, search: answered as ever, and by everybody who has a password of a store."""
    def answered():
        log_in = account.send("POST", "/auth/login", json={"email": account.email, "password": account.password})
        created = account.send("POST", "/documents", json={"title": "after", "content": "a kingfisher waits"})
        found = account.send("POST", "/query", json={"query": "kingfisher"})
        health = account.send("GET", "/health")
        return {log_in.status_code, found.status_code, health.status_code} == {200} and created.status_code == 201 and health.json()["status"] == "healthy"

    wait_until("everything is answered as before", answered, timeout_s=60, every_s=1)


def create(account, title, text):
    answer = account.send("POST", "/documents", json={"title": title, "content": text})
    assert answer.status_code == 201, answer.text
    return answer.json()


def sql(stack, query, service="primary"):
    done = stack.exec(service, *PRIMARY, query)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def replicas_follow(stack):
    wait_until("both replicas follow", lambda: sql(stack, "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "2", timeout_s=60)


def console(section):
    """The commands of the blocks under a heading of the page, `$C` as it stands there."""
    text = re.search(rf"^## {re.escape(section)}\n(.*?)(?=^## )", PAGE.read_text(), re.S | re.M)[1]
    return [line.removeprefix("$ ").partition("     #")[0] for block in re.findall(r"```console\n(.*?)```", text, re.S)
            for line in block.splitlines() if line.startswith("$ ")]


@pytest.mark.timeout(600)
def test_new_passwords_of_roles_and_redis(stack, account):
    """Those of before open nothing any more; at the end they are put back as an operator would put in passwords of his own."""
    names = [*sorted(path.name for path in SECRETS.glob("postgres_*")), "redis"]
    before = {name: (SECRETS / name).read_text() for name in names}

    def redis_opens(password):
        return "PONG" in stack.exec("redis", "env", f"REDISCLI_AUTH={password}", "redis-cli", "ping").stdout

    def role_opens(role, password):
        done = stack.exec("replica-1", "env", f"PGPASSWORD={password}", "psql", "-h", "primary", "-U", f"quire_{role}", "-d", "quire", "-qAtc", "SELECT 1")
        return done.stdout.strip() == "1"

    assert redis_opens(before["redis"]) and role_opens("documents", before["postgres_documents"])
    try:
        stack.quire("rotate-passwords")
        after = {name: (SECRETS / name).read_text() for name in names}
        assert all(after[name] != before[name] and re.fullmatch(r"[0-9a-f]{64}", after[name]) for name in names)
        well(account)
        replicas_follow(stack)
        assert redis_opens(after["redis"]) and not redis_opens(before["redis"])
        for role in ("owner", "session", "documents", "query", "monitor", "stats", "tags"):
            assert role_opens(role, after[f"postgres_{role}"]) and not role_opens(role, before[f"postgres_{role}"])
    finally:
        for name, text in before.items():
            (SECRETS / name).write_text(text)
        stack.quire("rotate-passwords", "--as-written")
    well(account)
    assert redis_opens(before["redis"]) and role_opens("documents", before["postgres_documents"])


@pytest.mark.timeout(600)
def test_a_lost_primary_is_replaced_by_a_replica_s_copy(stack, account):
    kept = create(account, "kept", "a heron stands in the reeds")
    position = sql(stack, "SELECT pg_current_wal_flush_lsn()")
    wait_until("the replicas have received it", lambda: sql(stack, f"SELECT bool_and(flush_lsn >= '{position}') FROM pg_stat_replication") == "t")
    with pytest.raises(AssertionError, match="the primary answers"):
        stack.quire("promote")
    system = sql(stack, "SELECT system_identifier FROM pg_control_system()")
    volume = stack.inspect(stack.containers("primary")[0], '{{range .Mounts}}{{if eq .Destination "/var/lib/postgresql"}}{{.Name}}{{end}}{{end}}')
    stack.compose("kill", "primary")
    subprocess.run(["docker", "run", "--rm", "--network", "none", "--entrypoint", "sh", "-v", f"{volume}:/lost", "quire/postgres", "-c", "rm -rf /lost/data"],
                   check=True, timeout=60)

    # Cut while it stops who writes, then the rest of them stopped, and the replicas: the next one has nobody to stop, and replicas to start.
    cut = subprocess.Popen([str(ROOT / "quire"), "promote"], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_until("a writer is stopped", lambda: not stack.containers("documents"), timeout_s=60)
    finally:
        os.killpg(cut.pid, signal.SIGKILL)
        cut.wait()
    stack.compose("stop", *(set(stack.compose("config", "--services").split()) - {"proxy", "gateway", "kafka", "redis", "prometheus"}))

    stack.quire("promote")

    well(account)
    assert account.send("GET", f"/documents/{kept['id']}").json() == kept
    assert sql(stack, "SELECT system_identifier FROM pg_control_system()") == system
    assert int(sql(stack, "SELECT timeline_id FROM pg_control_checkpoint()")) >= 2 and sql(stack, "SELECT pg_is_in_recovery()") == "f"
    replicas_follow(stack)

    # Cut while it clones the replicas: the primary answers by then, and that of which nothing is cloned yet has the copy of before.
    stack.compose("rm", "-f", "-s", "replica-1")
    assert stack.exec("primary", "touch", MARK).returncode == 0
    free = "SELECT pg_drop_replication_slot(slot_name) IS NOT NULL FROM pg_replication_slots WHERE slot_name = 'replica_1' AND NOT active"
    wait_until("its slot is gone", lambda: sql(stack, free))
    stack.quire("promote")
    assert stack.exec("primary", "test", "-e", MARK).returncode == 1
    with pytest.raises(AssertionError, match="the primary answers"):
        stack.quire("promote")

    replicas_follow(stack)
    new = create(account, "new", "an egret joins it")
    for replica in ("replica-1", "replica-2"):
        wait_until(f"{replica} has it", lambda: sql(stack, f"SELECT count(*) FROM documents.documents WHERE id = '{new['id']}'", replica) == "1")


@pytest.mark.timeout(600)
def test_back_up_and_restore(stack, account, tmp_path):
    """The page's own commands, in its order."""
    *back_up, stop, restore, flush, up = console("Back up and restore")
    assert [command.split()[0] for command in (*back_up, stop, restore, flush, up)] == ["C=\"./quire", "$C", "cp", "$C", "$C", "$C", "./quire"]

    def run(*commands):
        script = "\n".join(["set -e", *commands]).replace(" quire.dump", f" {tmp_path}/quire.dump").replace("somewhere/safe", f"{tmp_path}/safe")
        done = subprocess.run(["bash", "-c", script], cwd=ROOT, text=True, capture_output=True, timeout=500)
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"

    kept = create(account, "before", "an albatross rests")
    run(*back_up)
    assert (tmp_path / "safe/redis").read_text() == (SECRETS / "redis").read_text()
    assert account.send("DELETE", f"/documents/{kept['id']}").status_code == 204
    lost = create(account, "after", "a cormorant dries its wings")
    run(back_up[0], stop, restore, flush, up)
    well(account)
    assert account.send("GET", f"/documents/{kept['id']}").json() == kept
    assert account.send("GET", f"/documents/{lost['id']}").status_code == 404


def test_an_administrator_ends_all_sessions(stack, account):
    """The page's two commands: in PostgreSQL, then in Redis."""
    end = re.search(r"^- \*\*All sessions\*\*: `(C exec [^`]+)`", PAGE.read_text(), re.M)[1]
    flush = next(command for command in console("Back up and restore") if "FLUSHALL" in command)
    script = "\n".join(["set -e", console("Back up and restore")[0], end.replace("C ", "$C ", 1), flush])
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, text=True, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr

    def status():
        return account.send("GET", "/auth/me").status_code

    wait_until("the session is refused", lambda: status() == 401)  # 503 while Redis is loaded, never a 200
    log_in = {"email": account.email, "password": account.password}
    wait_until("a log-in opens a new one", lambda: account.send("POST", "/auth/login", json=log_in).status_code == 200)
    assert status() == 401


def test_a_renewed_certificate_is_served(stack):
    """`C restart proxy` once the file is another."""
    port, path = int(os.environ["QUIRE_HTTPS_PORT"]), SECRETS / "tls_certificate"

    def served():
        context = ssl.create_default_context(cafile=path)
        with socket.create_connection(("127.0.0.1", port), timeout=5) as plain, context.wrap_socket(plain, server_hostname="localhost") as encrypted:
            return encrypted.getpeercert()["serialNumber"]

    before, first = path.read_text(), served()
    try:
        made = subprocess.run(["docker", "run", "--rm", "--network", "none", "--entrypoint", "openssl", "quire/cli", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                               "ec_paramgen_curve:prime256v1", "-noenc", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                               "-keyout", "-", "-out", "-"], check=True, capture_output=True, text=True, timeout=60).stdout
        path.write_text(made)
        stack.compose("restart", "proxy")
        second = wait_until("the new certificate is served", lambda: _or_none(served), timeout_s=30)
        assert second != first
    finally:
        path.write_text(before)
        stack.compose("restart", "proxy")
        wait_until("the one of before is served again", lambda: _or_none(served) == first, timeout_s=30)


def _or_none(ask):
    """None while the proxy starts, or still has the other certificate."""
    try:
        return ask()
    except OSError:
        return None
