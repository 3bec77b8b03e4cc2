"""Migrations: once each, all or nothing, by any number at the same time."""

import itertools
import os
import subprocess

import pytest

_schemas = (f"trial_{i}" for i in itertools.count())


@pytest.fixture
def migration(stack, tmp_path, trial_program):
    """A schema and a folder of files of its own."""

    class Migration:
        schema = next(_schemas)
        environment = {**os.environ, "TRIAL_OWNER": stack.primary.conninfo("quire_owner"), "TRIAL_PASSWORD": stack.password}

        def file(self, name, sql):
            (tmp_path / name).write_text(sql)

        def begin(self):
            return subprocess.Popen([trial_program, "migrate", self.schema, str(tmp_path)], env=self.environment,
                                    stderr=subprocess.PIPE, text=True)

        def run(self):
            process = self.begin()
            log = process.communicate(timeout=60)[1]
            return process.returncode, log

        def rows(self, sql):
            return stack.primary.query(sql.replace("SCHEMA", self.schema))

    return Migration()


def test_each_file_is_applied_once_and_in_order(migration):
    migration.file("002_row.sql", "INSERT INTO things VALUES (1);")
    migration.file("001_table.sql", "CREATE TABLE things (n int); COMMENT ON TABLE things IS 'a; b';")
    migration.file("notes.txt", "no migration")
    assert migration.run()[0] == 0
    assert migration.run()[0] == 0
    migration.file("003_row.sql", "INSERT INTO things VALUES (2);")
    assert migration.run()[0] == 0
    assert migration.rows("SELECT n FROM SCHEMA.things ORDER BY n") == [(1,), (2,)]
    assert [name for name, in migration.rows("SELECT name FROM SCHEMA.migrations ORDER BY name")] == [
        "001_table.sql", "002_row.sql", "003_row.sql", "once.sql"]
    assert migration.rows("SELECT count(*) FROM pg_proc WHERE pronamespace = 'SCHEMA'::regnamespace AND proname LIKE 'once_%'") == [(3,)]


def test_many_at_once_do_it_once(migration):
    migration.file("001_slow.sql", "CREATE TABLE things (n int); SELECT pg_sleep(0.3); INSERT INTO things VALUES (1);")
    processes = [migration.begin() for _ in range(5)]
    logs = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 5, logs
    assert migration.rows("SELECT count(*) FROM SCHEMA.things") == [(1,)]


def test_a_file_that_fails_leaves_nothing_of_itself(migration):
    migration.file("001_good.sql", "CREATE TABLE things (n int);")
    migration.file("002_bad.sql", "INSERT INTO things VALUES (1); SELECT 1/0;")
    status, log = migration.run()
    assert status == 1 and "002_bad.sql" in log and "division by zero" in log
    assert migration.rows("SELECT count(*) FROM SCHEMA.things") == [(0,)]
    migration.file("002_bad.sql", "INSERT INTO things VALUES (1);")
    assert migration.run()[0] == 0


def test_a_changed_file_is_refused(migration):
    migration.file("001_table.sql", "CREATE TABLE things (n int);")
    assert migration.run()[0] == 0
    migration.file("001_table.sql", "CREATE TABLE things (n bigint);")
    status, log = migration.run()
    assert status == 1 and "001_table.sql" in log


def test_two_files_of_one_number_are_refused(migration):
    migration.file("001_a.sql", "SELECT 1;")
    migration.file("001_b.sql", "SELECT 1;")
    assert migration.run()[0] == 1
