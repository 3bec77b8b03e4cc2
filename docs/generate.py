#!/usr/bin/env python3
"""Makes the tables of docs/OPERATING.md of what the programs say of themselves.

    docs/generate.py            writes them            ./quire dev docs/generate.py
    docs/generate.py --check    fails when they are not what the programs say

Settings come from `--settings`; metrics from the admin port of each program, started with backends that nobody answers for. QUIRE_BUILD says
where the programs are (default /build/dev)."""

import contextlib
import difflib
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from nacl.public import PrivateKey

BUILD = Path(os.environ.get("QUIRE_BUILD", "/build/dev"))
PAGE = Path(__file__).parent / "OPERATING.md"
CONSUMERS = ("session", "documents", "query")
NOWHERE = "127.0.0.1:9"  # nothing listens there: what a program counts is declared before it needs anybody


def program(name):
    return str(BUILD / "services" / name / f"quire-{name}")


def rows_of(table):
    """The rows of a Markdown table, without its head."""
    return [line for line in table.splitlines()[2:] if line.startswith("|")]


def table(head, rows):
    return "\n".join([head, re.sub(r"[^|]+", "---", head), *rows]) + "\n"


def settings_of(name):
    return subprocess.run([program(name), "--settings"], check=True, capture_output=True, text=True).stdout


def environment(folder):
    """Just enough settings for any of the programs to start."""
    key = PrivateKey.generate()
    keys = Path(folder) / "keys"
    keys.write_text(f"1 {bytes(key.public_key).hex()} {bytes(key).hex()}\n")
    public = Path(folder) / "public"
    public.write_text(f"1 {bytes(key.public_key).hex()}\n")
    return {"PATH": os.environ["PATH"], "QUIRE_KAFKA_BROKERS": NOWHERE, "QUIRE_REDIS": NOWHERE, "QUIRE_POSTGRES_PRIMARY": "host=127.0.0.1 port=9",
            "QUIRE_POSTGRES_REPLICAS": "host=127.0.0.1 port=9", "QUIRE_HTTP_PORT": "0", "QUIRE_GATEWAY_DRAIN_MS": "0", "QUIRE_GATEWAY_STOP_MS": "0",
            "QUIRE_SEAL_KEYS_FILE": str(keys), "QUIRE_SEAL_KEYS_FILE_PUBLIC": str(public)}


@contextlib.contextmanager
def started(name, folder):
    """The admin port of a program that has just started; it is ended afterwards."""
    settings = environment(folder)
    public = settings.pop("QUIRE_SEAL_KEYS_FILE_PUBLIC")
    if name == "gateway":
        settings["QUIRE_SEAL_KEYS_FILE"] = public
    with subprocess.Popen([program(name)], env=settings, stdout=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stdout:
                said = json.loads(line)
                if said["event"] in ("gateway.started", "service.started"):
                    yield said["admin_port"]
                    return
            raise SystemExit(f"{name} did not start")
        finally:
            process.kill()


def metrics_of(name):
    with tempfile.TemporaryDirectory() as folder, started(name, folder) as port:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics/about", timeout=10) as answer:
            return answer.read().decode()


def settings_section():
    head = "| Setting | Type and bounds | Default | Meaning |"
    found = {name: rows_of(settings_of(name)) for name in ("gateway", *CONSUMERS)}
    common = [row for row in found["session"] if all(row in found[name] for name in CONSUMERS)]
    text = "### Every consumer\n\n" + table(head, common)
    text += "\n### gateway\n\n" + table(head, found["gateway"])
    for name in CONSUMERS:
        text += f"\n### {name}\n\nBeside those of every consumer:\n\n" + table(head, [row for row in found[name] if row not in common])
    return text


def metrics_section():
    head = "| Metric | Type | Labels | Meaning |"
    text = "### gateway\n\n" + table(head, rows_of(metrics_of("gateway")))
    found = {name: rows_of(metrics_of(name)) for name in CONSUMERS}
    common = [row for row in found["session"] if all(row in found[name] for name in CONSUMERS)]
    text += "\n### Every consumer\n\n" + table(head, common)
    for name in CONSUMERS:
        own = [row for row in found[name] if row not in common]
        if own:
            text += f"\n### {name}\n\n" + table(head, own)
    return text


def filled(page):
    for name, section in (("settings", settings_section), ("metrics", metrics_section)):
        begin, end = f"<!-- {name}: made by docs/generate.py -->\n", f"<!-- end of {name} -->"
        before, _, rest = page.partition(begin)
        _, found, after = rest.partition(end)
        assert found, f"OPERATING.md has no place for the {name}"
        page = before + begin + "\n" + section() + "\n" + end + after
    return page


def main():
    page = PAGE.read_text()
    made = filled(page)
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(made)
    elif made != page:
        sys.exit("".join(difflib.unified_diff(page.splitlines(True), made.splitlines(True), "docs/OPERATING.md", "what the programs say"))
                 + "docs/OPERATING.md is stale: ./quire dev docs/generate.py")


if __name__ == "__main__":
    main()
