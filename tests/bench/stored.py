"""What a request costs against how many documents are stored. The product stores a few hundred documents itself; the rest are copies of their very rows under
other ids and accounts, in the same tables with the same indexes, vacuumed and analyzed as autovacuum would have left them. Half of all documents belong to one big
account, the others to accounts of a hundred each."""

import pathlib
import sys
import time

import limits
import load
import measure
import routes
from floors import UUID7
from routes import Route, get, post
from servers.waiting import wait_until
from summary import row

SIZES_MAX = 10_000_000
TEMPLATES = 200
SMALL_DOCUMENTS = 100  # of every account but the big one
FILL_BATCH = 25_000  # documents a transaction
CONNECTIONS = 64
SEARCH_CONNECTIONS = 16  # more would mostly be refused where a search reads its most
REPEATS = 3
WARM_UP_S, WARM_UP_FIRST_S = 1, 4  # the broker compiles its code in its first seconds
READ_IN_TURN = 20_000  # documents of an account that are read, chosen by chance
BYTES_A_DOCUMENT = 26_000  # of disk, on all three servers, with its postings and indexes
LOG_BYTES = 9_000_000_000  # write-ahead log, of all three
REPLAY_S = 1200
CONTROL = "GET /auth/me"  # touches no document: how far it moves is how far the machine does
TABLES = ("documents", "chunks", "postings", "corpora")

_TEMPLATES = """
    CREATE TEMP TABLE template AS SELECT row_number() OVER (ORDER BY id) - 1 AS n, * FROM documents.documents WHERE account_id = '{maker}';
    CREATE TEMP TABLE template_chunk AS SELECT t.n, c.chunk_index, c.heading, c.body FROM template AS t JOIN documents.chunks AS c ON c.document_id = t.id;
    CREATE TEMP TABLE template_posting AS SELECT t.n, p.lexeme, p.chunks FROM template AS t JOIN documents.postings AS p ON p.document_id = t.id;
    CREATE TEMP TABLE fresh (id uuid, account_id uuid, n bigint);
    ANALYZE template, template_chunk, template_posting;
    SET synchronous_commit = off; SET work_mem = '256MB';
"""
# Every second one is the big account's; a hundred of the others in a row share an account.
_FRESH = f"""
    INSERT INTO fresh SELECT {UUID7}, CASE WHEN i %% 2 = 0 THEN %(big)s::uuid ELSE ('00000000-0000-7000-8000-' || lpad(to_hex(i / 2 / {SMALL_DOCUMENTS}), 12, '0'))::uuid END,
        i %% {TEMPLATES} FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS i;
"""
_COPY = """
    INSERT INTO documents.documents (id, account_id, title, content, tags, metadata, language, chunk_count, created_at, updated_at)
        SELECT f.id, f.account_id, t.title, t.content, t.tags, t.metadata, t.language, t.chunk_count, clock_timestamp()::timestamptz(3), clock_timestamp()::timestamptz(3)
        FROM fresh AS f JOIN template AS t USING (n) ORDER BY f.id;
    INSERT INTO documents.chunks (document_id, chunk_index, account_id, heading, body)
        SELECT f.id, c.chunk_index, f.account_id, c.heading, c.body FROM fresh AS f JOIN template_chunk AS c USING (n) ORDER BY f.id, c.chunk_index;
    INSERT INTO documents.postings (account_id, document_id, lexeme, chunks)
        SELECT f.account_id, f.id, p.lexeme, p.chunks FROM fresh AS f JOIN template_posting AS p USING (n) ORDER BY f.account_id, f.id, p.lexeme;
    INSERT INTO documents.corpora AS c (account_id, language, documents, chunks)
        SELECT f.account_id, coalesce(t.language, ''), count(*), sum(t.chunk_count) FROM fresh AS f JOIN template AS t USING (n) GROUP BY 1, 2
        ON CONFLICT (account_id, language) DO UPDATE SET documents = c.documents + excluded.documents, chunks = c.chunks + excluded.chunks;
"""


class Stock:
    """What is stored, and the accounts that ask: a big one, and a small one of a hundred documents."""

    def __init__(self, stack, folder: str) -> None:
        self.stack, self.folder = stack, pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        url = stack.gateway.url
        maker, self.big, self.small = (routes.open_account(url, name)[0] for name in ("maker", "big", "small"))
        routes.store_library(maker, TEMPLATES)
        self.small_ids = routes.store_library(self.small, SMALL_DOCUMENTS)
        self.big_id = self.big.get("/auth/me").json()["id"]
        self.count = self.made = TEMPLATES + SMALL_DOCUMENTS
        self._database = stack.primary.connect()
        self._database.execute(_TEMPLATES.format(maker=maker.get("/auth/me").json()["id"]))

    def fill(self, size: int) -> None:
        """The replicas stay at most a batch behind: what the primary writes meanwhile is kept for them only so long."""
        began, written = time.monotonic(), self.stack.primary.position()
        while self.count < size:
            last = min(self.count + FILL_BATCH, size)
            with self._database.transaction():
                self._database.execute("TRUNCATE fresh")
                self._database.execute(_FRESH, {"big": self.big_id, "first": self.count - self.made, "last": last - self.made - 1})
                self._database.execute(_COPY)
            self.count = last
            self._wait_for_replicas(written)
            written = self.stack.primary.position()
        for table in TABLES:
            self._database.execute(f"VACUUM (ANALYZE) documents.{table}")
        self._database.execute("CHECKPOINT")
        self._wait_for_replicas(self.stack.primary.position())
        for replica in self.stack.replicas:
            replica.query("CHECKPOINT")
        wait_until(lambda: self.big.post("/query", {"query": routes.QUESTION}).json()["results"], routes.READY_S, "the copies are found as the product's own are")
        print(f"  {self.count:,} documents are stored, after {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)

    def _wait_for_replicas(self, position: str) -> None:
        for replica in self.stack.replicas:
            wait_until(lambda replica=replica: replica.replayed(position), REPLAY_S, f"{replica.name} has them too", every=0.1)

    def routes(self) -> list[Route]:
        """Of this size: other documents of the big account are read at each."""
        chosen = self.stack.primary.query("SELECT id FROM documents.documents WHERE account_id = %s ORDER BY random() LIMIT %s", self.big_id, READ_IN_TURN)
        ids = {"big account": [identity for identity, in chosen], "small account": self.small_ids}
        found = [self._route(CONTROL, [get("/auth/me", self.big.token)])]
        for name, api in (("big account", self.big), ("small account", self.small)):
            found += [self._route(f"GET /documents/{{id}}, {name}", [get(f"/documents/{identity}", api.token) for identity in ids[name]]),
                      self._route(f"GET /documents, {name}", [get("/documents", api.token)]),
                      self._route(f"POST /query, {name}", [post("/query", api.token, {"query": question}) for question in routes.questions()], SEARCH_CONNECTIONS)]
        return found

    def _route(self, name: str, requests: list[bytes], connections: int = CONNECTIONS) -> Route:
        return Route(name, routes.write_requests(self.folder / f"{name.replace('/', '-')}.requests", requests), None, connections)

    def close(self) -> None:
        self._database.close()


def lacking(stack, size: int, stored: int) -> str | None:
    return limits.disk_lacking(stack.folder, (size - stored) * BYTES_A_DOCUMENT + LOG_BYTES)


def measure_stored(stack, plan, sizes: list[int], folder: str) -> tuple[dict, dict[str, str]]:
    """({size: {route: figures}}, {what wasn't measured: why})."""
    stock, found, skipped = Stock(stack, folder), {}, {}
    for size in sorted(sizes):
        lack = lacking(stack, size, stock.count)
        if lack:
            skipped[f"{size:,} stored documents"] = lack
            continue
        stock.fill(size)
        measure.settle(stack)
        asked = stock.routes()
        for route in asked:
            load.closed(stack.gateway.port, route.file, route.connections_max, WARM_UP_S if found else WARM_UP_FIRST_S)
        measured: dict[str, list[dict]] = {route.name: [] for route in asked}
        for _ in range(REPEATS):
            for route in asked:
                figures = measure.with_costs(stack, plan, lambda route=route: load.closed(stack.gateway.port, route.file, route.connections_max, plan.seconds))
                measure.say(f"{size:,} stored: {route.name}", figures)
                measured[route.name].append(figures)
                measure.settle(stack)
        found[str(size)] = {name: row(figures) for name, figures in measured.items()}
    stock.close()
    return found, skipped
