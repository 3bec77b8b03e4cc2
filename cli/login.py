"""Opens a session and keeps its token for import and ask."""

import argparse
import getpass
import sys

import httpx

from cli import client

DEMO_EMAIL = "demo@quire.example"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./quire login", description=__doc__)
    parser.add_argument("email", nargs="?")
    parser.add_argument("--register", action="store_true", help="open the account first")
    parser.add_argument("--demo", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    email = DEMO_EMAIL if arguments.demo else arguments.email or input("E-mail: ")
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    body = {"email": email, "password": password}
    with httpx.Client(base_url=client.url(), timeout=client.TIMEOUT_S, trust_env=False) as http:
        if arguments.register or arguments.demo:
            answer = http.post("/auth/register", json=body)
            if answer.status_code != 201 and not (answer.status_code == 409 and arguments.demo):
                sys.exit(client.problem(answer))
        answer = http.post("/auth/login", json=body)
        if answer.status_code != 200:
            sys.exit(client.problem(answer))
    client.keep_session(answer.json()["token"], email)
    print(f"Logged in to {client.url()} as {email} until {answer.json()['expires_at']}.")


if __name__ == "__main__":
    main()
