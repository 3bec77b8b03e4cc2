"""The service's own table, in PostgreSQL. Every wait has a bound: past it the connection is cut, and the next call makes a new one."""

import os
import socket
import threading
import time
from contextlib import contextmanager
from uuid import UUID

import psycopg
from log import Outage

CONNECT_S = 2
RETRY_S = 0.5  # how long a database that can't be reached is left alone: meanwhile the answer is no, at once

# Index documents_account.
_COUNT = """SELECT tag, count(*) FROM tags.documents, unnest(tags) AS tag WHERE account_id = %s
            GROUP BY tag ORDER BY count(*) DESC, tag LIMIT %s"""
# Events may come again: a newer version stays. Locks the row.
_KEEP = """INSERT INTO tags.documents AS d (document_id, account_id, version, tags) VALUES (%s, %s, %s, %s)
           ON CONFLICT (document_id) DO UPDATE SET version = excluded.version, tags = excluded.tags WHERE d.version < excluded.version"""
_FORGET = "DELETE FROM tags.documents WHERE document_id = %s"


class Away(Exception):
    """The database can't be reached, or didn't answer in time."""


class Store:
    """One connection, one thread."""

    def __init__(self, settings, log, name: str) -> None:
        self._options = {"conninfo": settings.postgres, "password": settings.postgres_password, "connect_timeout": CONNECT_S,
                         "application_name": f"quire.tags.{name}"}
        self._connection, self._retry_at = None, 0.0
        self._outage = Outage(log, "postgres")

    @contextmanager
    def _within(self, seconds: float):
        """A transaction that is committed at the end of the block, if it takes no longer than that."""
        if time.monotonic() < self._retry_at:
            raise Away
        try:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(**self._options)
            watch = threading.Timer(seconds, _cut, [self._connection])
            watch.daemon = True
            watch.start()
            try:
                with self._connection.transaction():
                    yield self._connection
            finally:
                watch.cancel()
        except psycopg.OperationalError as error:
            self._outage.began(error)
            self.close()
            self._retry_at = time.monotonic() + RETRY_S
            raise Away from error
        self._outage.ended()

    def tags(self, account: UUID, limit: int, seconds: float) -> list[tuple[str, int]]:
        with self._within(seconds) as connection:
            return connection.execute(_COUNT, (account, limit)).fetchall()

    def apply(self, kept: list[tuple], gone: list[UUID], seconds: float) -> None:
        """`kept`: (document, account, version, tags). One transaction, durable when this returns."""
        with self._within(seconds) as connection:
            cursor = connection.cursor()
            if kept:
                cursor.executemany(_KEEP, kept)
            if gone:
                cursor.executemany(_FORGET, [(document,) for document in gone])

    def milliseconds(self, seconds: float) -> float | None:
        """How long the primary takes to answer; None: away."""
        began = time.monotonic()
        try:
            with self._within(seconds) as connection:
                connection.execute("SELECT 1")
        except Away:
            return None
        return (time.monotonic() - began) * 1000

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def _cut(connection) -> None:
    """libpq has no bound on a read: ending the socket wakes whoever waits in it."""
    try:
        with socket.socket(fileno=os.dup(connection.fileno())) as duplicate:
            duplicate.shutdown(socket.SHUT_RDWR)
    except (OSError, psycopg.Error):
        pass  # closed meanwhile
