"""A session survives the restart of every process, Redis included; so does what was stored."""

import pytest

from client import problem
from servers.waiting import wait_until

pytestmark = pytest.mark.destructive


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_everything_is_there_after_a_restart_of_everything(stack, account, end):
    ended = account.another_session()
    assert ended.post("/auth/logout").status_code == 204
    document = account.create("kept", "albatross", tags=["t"], metadata={"n": 1})
    before = account.get("/auth/sessions").json()["items"]
    for servers in (stack.ours, stack.infrastructure):
        if end == "stop":
            stack.stop_together(servers)
        else:
            for server in servers:
                server.kill()
    for server in (stack.kafka, stack.primary, stack.redis, *stack.replicas):
        server.start()
    stack.start_ours()

    def well(path):
        status = account.get(path).status_code
        assert status in (200, 503)
        return status == 200

    wait_until(lambda: well("/auth/me"), 15, "the session is let in")
    wait_until(lambda: well("/auth/sessions"), 15, "the service reads its tables")
    wait_until(lambda: ended.get("/auth/me").status_code == 401, 5)
    problem(ended.get("/documents"), 401)
    assert account.read(document["id"]) == document
    assert account.found("albatross") == [document["id"]]
    after = account.get("/auth/sessions").json()["items"]
    assert [item["id"] for item in after] == [item["id"] for item in before]
    assert account.create() and account.another_session()


def test_migrating_again_and_by_two_at_once_changes_nothing(stack, account):
    from concurrent.futures import ThreadPoolExecutor
    document = account.create()

    def tables():
        return stack.primary.query("SELECT n.nspname, c.relname, c.oid, c.relfilenode FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                                   "WHERE n.nspname IN ('session', 'documents', 'query') AND c.relkind IN ('r', 'i', 'v') ORDER BY 1, 2")

    before = tables()
    services = [stack.session, stack.documents, stack.query] * 2
    with ThreadPoolExecutor(len(services)) as pool:
        assert list(pool.map(lambda service: service.migrate(), services)) == [0] * len(services)
    assert tables() == before and len(before) > 5
    assert account.read(document["id"]) == document


def test_each_role_has_the_least_rights(stack):
    """query only reads; no service reads another's tables; nobody but the owner changes any."""
    grants = stack.primary.query("SELECT grantee, table_schema, privilege_type FROM information_schema.role_table_grants "
                                 "WHERE grantee LIKE 'quire\\_%' AND grantee <> 'quire_owner' AND table_schema NOT IN ('pg_catalog', 'information_schema')")
    rights = {}
    for role, schema, privilege in grants:
        rights.setdefault(role, {}).setdefault(schema, set()).add(privilege)
    assert all(privileges == {"SELECT"} for privileges in rights.get("quire_query", {}).values()), rights
    assert "session" not in rights.get("quire_query", {}) and "session" not in rights.get("quire_documents", {})
    assert "documents" not in rights.get("quire_session", {})
    assert not any("TRUNCATE" in privileges or "TRIGGER" in privileges for schemas in rights.values() for privileges in schemas.values())
    for role in ("quire_session", "quire_documents", "quire_query"):
        created, = stack.primary.query("SELECT has_database_privilege(%s, 'quire', 'CREATE') OR has_schema_privilege(%s, 'public', 'CREATE') "
                                       "OR rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = %s", role, role, role)
        assert created == (False,), role
