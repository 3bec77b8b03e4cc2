"""What the parts can do by themselves, on this machine, in this run."""

import json
import os
import pathlib
import re
import subprocess

import routes

REDIS_PIPELINE = 32
REDIS_CALLS_A_SECOND = 30_000  # redis-benchmark takes a number of calls, no time
POSTGRES_PIPELINE = 10
READ_CLIENTS = 8
WRITE_CLIENTS = routes.WRITERS


def kafka(stack, build: str, in_flight: int, seconds: int) -> dict:
    """A request and its reply, plain librdkafka on both ends."""
    done = subprocess.run([f"{build}/tests/bench/kafka_floor", stack.kafka.brokers, "bench.requests", "bench.replies", str(in_flight), str(seconds)],
                          text=True, capture_output=True, check=True, timeout=seconds + 60)
    return json.loads(done.stdout)


def session_function(stack, session_key: str, seconds: int) -> float:
    """Calls a second of the very function that each request costs in Redis, pipelined."""
    words = ["redis-benchmark", "-h", "127.0.0.1", "-p", stack.redis.address.rsplit(":", 1)[1], "-a", stack.redis.password, "--csv", "-c", "4",
             "-P", str(REDIS_PIPELINE), "-n", str(REDIS_CALLS_A_SECOND * seconds),
             "FCALL", "quire_check", "1", session_key, "bench", "4102444800000", "1", "1", "1000000000", "1000000000"]
    done = subprocess.run(words, text=True, capture_output=True, check=True, timeout=300)
    return float(done.stdout.strip().splitlines()[-1].split(",")[1].strip('"'))


# PostgreSQL's part of each route: the statement of the service that answers it, with {account} and {document}.
STATEMENTS = {
    "document": "SELECT title, content, tags, metadata, language, version, chunk_count, created_at, updated_at FROM documents.documents"
                " WHERE id = '{document}'::uuid AND account_id = '{account}'::uuid;",
    "page": "SELECT * FROM documents.page('{account}'::uuid, 21, NULL, NULL, NULL, NULL);",
    "search": "SELECT * FROM documents.search('{account}'::uuid, 'en', " + routes.QUESTION_WORDS + ", NULL, NULL, NULL, 5, 3000);",
}
# As runtime makes ids (RFC 9562 5.7): by the clock, so that a primary key grows at its end.
UUID7 = ("(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7' || substr(md5(random()::text), 1, 3) || 'b'"
          " || substr(md5(random()::text), 1, 15))::uuid")


def _pgbench(stack, server, name: str, script: str, clients: int, seconds: int) -> float:
    """Runs of the script a second."""
    path = pathlib.Path(stack.folder) / f"{name}.sql"
    path.write_text(script)
    environment = {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": "postgres", "PGDATABASE": "quire",
                   "PGPASSWORD": stack.primary.superuser_password}
    done = subprocess.run(["pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(seconds), "-f", str(path)],
                          text=True, capture_output=True, env=environment, check=True, timeout=seconds + 60)
    if "number of failed transactions: 0 " not in done.stdout:
        raise RuntimeError(f"pgbench {name}:\n{done.stdout}\n{done.stderr}")
    rate = re.search(r"tps = ([\d.]+)", done.stdout)
    return float(rate.group(1)) if rate else 1 / seconds  # not one was done in time: told as one, so that ratios stay numbers


def postgres_read(stack, library, name: str, seconds: int) -> float:
    """Statements a second on a replica, pipelined by ten; a search alone costs so much more than its way there that it goes one by one."""
    statement = STATEMENTS[name].format(account=library.account_id, document=library.ids[0]) + "\n"
    if name == "search":
        return _pgbench(stack, stack.replicas[0], name, statement, READ_CLIENTS, seconds)
    script = "\\startpipeline\n" + statement * POSTGRES_PIPELINE + "\\endpipeline\n"
    return _pgbench(stack, stack.replicas[0], name, script, READ_CLIENTS, seconds) * POSTGRES_PIPELINE


def _text_array(values: list[str]) -> str:
    return "ARRAY[" + ",".join("'" + value.replace("'", "''") + "'" for value in values) + "]::text[]"


def store_statement(stack) -> str:
    """The documents service's own write, with the very rows of a document of 1 KB that it stored; another account for each client, as one
    account's writers wait for each other at its counters."""
    (document, content, language), *_ = stack.primary.query(
        "SELECT id, content, language FROM documents.documents WHERE octet_length(content) BETWEEN 1000 AND 1024 ORDER BY id DESC LIMIT 1")
    chunks = stack.primary.query("SELECT chunk_index, coalesce(heading, ''), body FROM documents.chunks WHERE document_id = %s ORDER BY 1", document)
    postings = stack.primary.query("SELECT lexeme, chunks::text FROM documents.postings WHERE document_id = %s", document)
    chunk_items, posting_items = "{" + ",".join("1" * len(chunks)) + "}", "{" + ",".join("1" * len(postings)) + "}"
    indexes = "{" + ",".join(str(index) for index, _, _ in chunks) + "}"
    return (f"SELECT ret_id FROM documents.store(('00000000-0000-7000-8000-' || lpad((:client_id)::text, 12, '0'))::uuid, gen_random_uuid()::text,"
            f" sha256('bench'::bytea), 3600, 'bench', ARRAY[{UUID7}], ARRAY['Bench'], {_text_array([content])}, ARRAY['{{}}'], ARRAY['{{}}'],"
            f" {_text_array([language or ''])}, ARRAY[{len(chunks)}], '{chunk_items}'::int[], '{indexes}'::int[],"
            f" {_text_array([heading for _, heading, _ in chunks])}, {_text_array([body for _, _, body in chunks])}, '{posting_items}'::int[],"
            f" {_text_array([lexeme for lexeme, _ in postings])}, {_text_array([entry for _, entry in postings])});\n")


def postgres_write(stack, seconds: int) -> float:
    """Durable documents of 1 KB a second on the primary: chunks, index, record of the key and event included."""
    return _pgbench(stack, stack.primary, "store", store_statement(stack), WRITE_CLIENTS, seconds)
