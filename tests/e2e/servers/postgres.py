"""PostgreSQL 17: a primary, and streaming replicas of it."""

import os
import shutil
import signal
import subprocess

import psycopg

from .ports import free_port
from .server import Server
from .waiting import PATIENCE, wait_until

_BIN = os.environ.get("POSTGRES_BIN", "/usr/lib/postgresql/17/bin")
DATABASE = "quire"
_CONFIG = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../../compose/postgres/postgresql.conf"))
# Added to what compose/ deploys.
_PLACE = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
"""
# A process that is killed loses nothing that reached the page cache, so the tests do without fsync; the order of WAL writes and replies, which
# is what they look at, stays the same.
_SMALL = """
fsync = off
shared_buffers = 64MB
maintenance_work_mem = 32MB
max_wal_size = 256MB
min_wal_size = 64MB
wal_keep_size = 128MB
wal_retrieve_retry_interval = 200ms
"""


class _Postgres(Server):
    stop_signal = signal.SIGINT  # fast: ends sessions, writes a checkpoint

    def __init__(self, name, folder, superuser_password, authority):
        super().__init__(name, folder)
        self.authority = authority  # None: no TLS
        self.port = free_port()
        self.cluster = os.path.join(folder, name)
        self.superuser_password = superuser_password
        self._made = False

    def user(self):
        return "postgres" if os.geteuid() == 0 else None

    def environment(self):
        return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PGPASSWORD": self.superuser_password}

    def command(self):
        return [f"{_BIN}/postgres", "-D", self.cluster, "-p", str(self.port), "-c", f"hba_file={self.cluster}/pg_hba.conf", *self._tls()]

    def _tls(self):
        if self.authority is None:
            return []
        certificate, key = self.authority.issue(self.name)
        os.chmod(key, 0o600)
        self.own(key)
        return ["-c", "ssl=on", "-c", f"ssl_cert_file={certificate}", "-c", f"ssl_key_file={key}"]

    def _verified(self):
        """What a client adds to be sure of whom it speaks to."""
        return {} if self.authority is None else {"sslmode": "verify-full", "sslrootcert": self.authority.certificate}

    def tool(self, name, *arguments):
        user = self.user()
        with open(self.log_path, "ab") as log:
            subprocess.run([f"{_BIN}/{name}", *arguments], check=True, env=self.environment(), cwd="/", stdin=subprocess.DEVNULL,
                           stdout=log, stderr=log, user=user, group=user, extra_groups=[] if user else None)

    def own(self, path):
        if os.geteuid() == 0:
            shutil.chown(path, "postgres", "postgres")

    def conninfo(self, user, **more):
        return " ".join(f"{name}={value}" for name, value in
                        {"host": "127.0.0.1", "port": self.port, "dbname": DATABASE, "user": user, **self._verified(), **more}.items())

    def connect(self, database=DATABASE):
        """A connection as superuser, autocommit."""
        return psycopg.connect(host="127.0.0.1", port=self.port, dbname=database, user="postgres", password=self.superuser_password,
                               autocommit=True, connect_timeout=round(10 * PATIENCE))

    def query(self, sql, *parameters):
        """Rows of one statement."""
        with self.connect() as connection:
            cursor = connection.execute(sql, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def ready(self):
        with self.connect("postgres") as connection:
            return connection.execute("SELECT 1").fetchone()

    def start(self):
        super().start()
        return self

    def kill(self):
        """With the backends that were being forked meanwhile: they live in the cluster's folder, and a server doesn't start beside them."""
        super().kill()
        wait_until(lambda: not any(_kill_if_in(self.cluster, pid) for pid in filter(str.isdigit, os.listdir("/proc"))), what=f"{self.name} is gone")


def _kill_if_in(folder, pid):
    """Kills a process that works in the folder; False when it doesn't."""
    try:
        if os.readlink(f"/proc/{pid}/cwd") != folder:
            return False
        os.kill(int(pid), signal.SIGKILL)
    except OSError:
        return False
    return True


class Primary(_Postgres):
    def __init__(self, folder, superuser_password, roles, authority=None, as_deployed=False):
        """`roles`: name -> password; the one that ends in _owner owns the database. With an authority only TLS gets in."""
        super().__init__("primary", folder, superuser_password, authority)
        self.roles = roles
        self._settings = _PLACE if as_deployed else _PLACE + _SMALL

    def prepare(self):
        if self._made:
            return
        password_file = os.path.join(self.folder, "superuser.password")
        with open(password_file, "w") as file:
            file.write(self.superuser_password)
        self.own(password_file)
        os.makedirs(self.cluster, mode=0o700, exist_ok=True)
        self.own(self.cluster)
        self.tool("initdb", "-D", self.cluster, "-U", "postgres", "--pwfile", password_file, "-A", "scram-sha-256", "-E", "UTF8",
                  "--locale=C.UTF-8", "--no-sync", "--no-instructions")
        with open(os.path.join(self.cluster, "postgresql.conf"), "a") as file:
            with open(_CONFIG) as deployed:
                file.write(deployed.read())
            file.write(self._settings)
        with open(os.path.join(self.cluster, "pg_hba.conf"), "w") as file:
            kind = "host" if self.authority is None else "hostssl"
            file.write(f"{kind} all all 127.0.0.0/8 scram-sha-256\n{kind} replication postgres 127.0.0.0/8 scram-sha-256\n")
        self._made = True

    def create_database(self):
        with self.connect("postgres") as connection:
            for role, password in self.roles.items():
                connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
            owner = next(role for role in self.roles if role.endswith("_owner"))
            connection.execute(f"CREATE DATABASE {DATABASE} OWNER {owner}")
            connection.execute(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC")
            for role in self.roles:
                connection.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO {role}")

    def position(self):
        """The end of a record that is written now: the insert position may stand behind a page header that no replay reaches."""
        return self.query("SELECT pg_logical_emit_message(false, 'test', '', true)::text")[0][0]


class Replica(_Postgres):
    def __init__(self, name, folder, primary):
        super().__init__(name, folder, primary.superuser_password, primary.authority)
        self.primary = primary

    def prepare(self):
        if self._made:
            return
        self.own(self.folder)
        self.tool("pg_basebackup", "-D", self.cluster, "-R", "-X", "stream", "-c", "fast", "--no-sync", "-d",
                  self.primary.conninfo("postgres", application_name=self.name))
        self._made = True

    def pause_replay(self):
        self.query("SELECT pg_wal_replay_pause()")
        wait_until(lambda: self.query("SELECT pg_get_wal_replay_pause_state()")[0][0] == "paused", what=f"{self.name} paused its replay")

    def resume_replay(self):
        self.query("SELECT pg_wal_replay_resume()")

    def replayed(self, lsn):
        return self.query("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", lsn)[0][0]

    def catch_up(self):
        """Waits until it has replayed all that the primary has written."""
        lsn = self.primary.position()
        wait_until(lambda: self.replayed(lsn), what=f"{self.name} caught up")

    def heal(self, wait=True):
        mended = super().heal()
        if self.query("SELECT pg_is_wal_replay_paused()")[0][0]:
            self.resume_replay()
            return True
        return mended
