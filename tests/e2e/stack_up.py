#!/usr/bin/env python3
"""Starts the test stack and keeps it until Ctrl-C or SIGTERM, for work by hand.

    tests/e2e/stack_up.py                 everything: Kafka, PostgreSQL with two replicas, Redis, the services, two gateways
    tests/e2e/stack_up.py --infra         only Kafka (with its topics), PostgreSQL and Redis; run the programs yourself
    tests/e2e/stack_up.py --without documents   everything but that one (again and again)

The settings to run a program by hand are in <folder>/<name>.env (`set -a; . <folder>/documents.env`), the logs in
<folder>/<name>/<name>.log. QUIRE_BUILD says where the programs are (default /build/dev)."""

import argparse
import os
import shutil
import signal
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from servers.stack import Stack  # noqa: E402


def write_environment(stack):
    """One shell file of settings a program of ours, and stack.env with the addresses."""
    def write(name, values):
        with open(os.path.join(stack.folder, f"{name}.env"), "w") as file:
            for key, value in sorted(values.items()):
                file.write(f"{key}='{value}'\n")

    for server in stack.ours:
        values = {key: value for key, value in server.environment().items() if key.startswith("QUIRE_")}
        write(server.name, {**values, **stack.migrate_settings()} if server in stack.services + list(stack.extensions.values()) else values)
    write("stack", {
        "QUIRE_URL": stack.gateway.url, "QUIRE_KAFKA_BROKERS": stack.kafka.brokers, "REDIS": stack.redis.address,
        "REDISCLI_AUTH": stack.redis.password, "PGHOST": "127.0.0.1", "PGPORT": stack.primary.port, "PGUSER": "postgres",
        "PGPASSWORD": stack.primary.superuser_password, "PGDATABASE": "quire",
        "PGPORT_REPLICA_1": stack.replicas[0].port, "PGPORT_REPLICA_2": stack.replicas[1].port})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", default="/tmp/quire-stack", help="emptied first [%(default)s]")
    parser.add_argument("--infra", action="store_true", help="start none of our programs")
    parser.add_argument("--without", action="append", default=[], metavar="NAME", help="don't start this one of our programs")
    parser.add_argument("--limits-off", action="store_true", help="QUIRE_LIMITS=off")
    arguments = parser.parse_args()
    shutil.rmtree(arguments.folder, ignore_errors=True)
    stack = Stack(arguments.folder, {"QUIRE_LIMITS": "off"} if arguments.limits_off else {})
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    print(f"starting in {stack.folder} ...", flush=True)
    write_environment(stack)
    stack.start_infrastructure()
    print(f"Kafka {stack.kafka.brokers}, PostgreSQL {stack.primary.port} (replicas {', '.join(str(r.port) for r in stack.replicas)}), "
          f"Redis {stack.redis.address}", flush=True)
    if not arguments.infra:
        for service in (stack.session, stack.documents, stack.query, *stack.extensions.values()):
            if service.name not in arguments.without and service.migrate() != 0:
                print(f"{service.name} migrate failed:\n{service.log_tail()}", flush=True)
        for server in stack.ours:
            if server.name not in arguments.without:
                server.spawn()
        for server in [server for server in stack.ours if server.name not in arguments.without]:
            try:
                server.wait_ready()
                print(f"{server.name}: ready, admin port {server.admin_port}", flush=True)
            except AssertionError as fault:
                print(f"{server.name}: NOT READY: {fault}", flush=True)
        print(f"gateways: {', '.join(gateway.url for gateway in stack.gateways)}", flush=True)
    print(f"settings: {stack.folder}/*.env; Ctrl-C ends everything", flush=True)
    ending.wait()
    stack.stop()


if __name__ == "__main__":
    main()
