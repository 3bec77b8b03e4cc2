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


def post(http: httpx.Client, path: str, body: dict, expected: tuple[int, ...]) -> httpx.Response:
    """Ends the program with the server's words when the answer is another."""
    answer = http.post(path, json=body)
    if answer.status_code not in expected:
        sys.exit(client.problem(answer))
    return answer


def goes_on(http: httpx.Client, address: str) -> bool:
    """True when somebody is logged in there already: the demo account doesn't take their place."""
    held = client.kept_session(address)
    if held is None or http.get("/auth/me", headers={"Authorization": f"Bearer {held['token']}"}).status_code != 200:
        return False
    client.keep_session(address, held["token"], held["email"])
    print(f"Logged in to {address} as {held['email']}.")
    return True


def main() -> None:
    arguments, address = parse(), client.url()
    email = DEMO_EMAIL if arguments.demo else arguments.email or input("E-mail: ")
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    body = {"email": email, "password": password}
    try:
        with client.open_anyone(address) as http:
            if arguments.demo and goes_on(http, address):
                return
            if arguments.register or arguments.demo:
                post(http, "/auth/register", body, (201, 409) if arguments.demo else (201,))
            session = post(http, "/auth/login", body, (200,)).json()
        client.keep_session(address, session["token"], email)
    except httpx.HTTPError as error:
        sys.exit(client.no_answer(error))
    except httpx.InvalidURL:
        sys.exit(f"{address} is no address: an address is http://HOST:PORT or https://HOST.")
    except OSError as error:
        sys.exit(f"The session can't be kept: {error}.")
    print(f"Logged in to {address} as {email} until {session['expires_at']}.")


if __name__ == "__main__":
    main()
