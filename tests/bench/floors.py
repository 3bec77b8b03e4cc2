"""What the parts can do by themselves, on this machine, in this run."""

import json
import os
import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).parent
REDIS_PIPELINE = 32
POSTGRES_PIPELINE = 10


def kafka(stack, build: str, in_flight: int, seconds: int) -> dict:
    """A request and its reply, plain librdkafka on both ends."""
    done = subprocess.run([f"{build}/tests/bench/kafka_floor", stack.kafka.brokers, "bench.requests", "bench.replies", str(in_flight), str(seconds)],
                          text=True, capture_output=True, check=True, timeout=seconds + 60)
    return json.loads(done.stdout)


class Nginx:
    """`return 200` on a port of its own, two workers."""

    def __init__(self, folder: str, port: int) -> None:
        self.folder, self.port = pathlib.Path(folder), port
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "nginx.conf").write_text(
            f"worker_processes 2;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{ worker_connections 4096; }}\n"
            f"http {{ access_log off; keepalive_requests 100000000; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; "
            f"fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n"
            f"server {{ listen 127.0.0.1:{port} reuseport backlog=4096; location / {{ default_type application/json; return 200 '{{\"ok\":true}}'; }} }} }}\n")

    def __enter__(self):
        self.process = subprocess.Popen(["nginx", "-c", str(self.folder / "nginx.conf"), "-g", "daemon off;"], stderr=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def postgres(stack, document_id: str, seconds: int) -> dict:
    """Primary-key reads of the row that GET /documents/{id} answers with: one by one, and pipelined."""
    select = f"SELECT id, title, content, tags, metadata, language, version, chunk_count, created_at, updated_at FROM documents.documents WHERE id = '{document_id}';\n"
    folder = pathlib.Path(stack.folder)
    single, pipelined = folder / "single.sql", folder / "pipelined.sql"
    single.write_text(select)
    pipelined.write_text("\\startpipeline\n" + select * POSTGRES_PIPELINE + "\\endpipeline\n")
    environment = {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(stack.replicas[0].port), "PGUSER": "postgres", "PGDATABASE": "quire",
                   "PGPASSWORD": stack.primary.superuser_password}

    def rate(script: pathlib.Path, times: int) -> float:
        done = subprocess.run(["pgbench", "-n", "-M", "prepared", "-c", "8", "-j", "2", "-T", str(seconds), "-f", str(script)],
                              text=True, capture_output=True, env=environment, check=True)
        return float(re.search(r"tps = ([\d.]+)", done.stdout).group(1)) * times

    return {"selects_per_s": rate(single, 1), "pipelined_selects_per_s": rate(pipelined, POSTGRES_PIPELINE)}


def session_function(stack, session_key: str, seconds: int) -> dict:
    """The very call that each request costs in Redis, pipelined."""
    words = ["redis-benchmark", "-h", "127.0.0.1", "-p", stack.redis.address.rsplit(":", 1)[1], "-a", stack.redis.password, "--csv", "-c", "4",
             "-P", str(REDIS_PIPELINE), "-n", str(60000 * seconds),
             "FCALL", "quire_check", "1", session_key, "bench", "4102444800000", "1", "1", "1000000000", "1000000000"]
    done = subprocess.run(words, text=True, capture_output=True, check=True, timeout=300)
    rate = float(done.stdout.strip().splitlines()[-1].split(",")[1].strip('"'))
    return {"calls_per_s": rate}


def wrk(url: str, connections: int, seconds: int, method: str = "GET", token: str = "", body: str = "") -> dict:
    """Closed loop: each connection sends its next request when the answer is there."""
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    environment = {**os.environ, "BENCH_METHOD": method, "BENCH_PATH": "/" + path, "BENCH_TOKEN": token, "BENCH_BODY": body}
    threads = min(2, connections)
    done = subprocess.run(["wrk", "-t", str(threads), "-c", str(connections), "-d", f"{seconds}s", "--timeout", "10s", "-s", str(HERE / "wrk.lua"),
                           f"{scheme}://{host}"], text=True, capture_output=True, env=environment, check=True)
    figures = json.loads(done.stderr.strip().splitlines()[-1])
    figures["requests_per_s"] = figures["requests"] / figures["seconds"]
    figures["errors"] = figures.pop("status_errors") + figures.pop("socket_errors")
    return figures
