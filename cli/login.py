"""Opens a session and keeps its token for import and ask."""

import argparse
import getpass
import sys

import httpx

from cli import client, terminal

DEMO_EMAIL = "demo@quire.example"
DEMO_IS_FOREIGN = 3  # the status that scripts/up.sh knows: the account is there, with a password that isn't ours


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./quire login", description=__doc__)
    parser.add_argument("email", nargs="?")
    parser.add_argument("--register", action="store_true", help="open the account first")
    parser.add_argument("--demo", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def post(http: httpx.Client, path: str, body: dict, expected: tuple[int, ...], ends_with: dict[int, int] | None = None) -> httpx.Response:
    """Ends the program with the server's words when the answer is another; `ends_with` has the statuses to end with that aren't 1."""
    answer = http.post(path, json=body)
    if answer.status_code not in expected:
        terminal.end(client.problem(answer), (ends_with or {}).get(answer.status_code, 1))
    return answer


def goes_on(http: httpx.Client, address: str) -> bool:
    """True when somebody is logged in there already: the demo account doesn't take their place. Whether a session is over only a 401 tells; after any other
    answer nobody knows, and the program ends with the server's words."""
    held = client.kept_session(address)
    if held is None:
        return False
    answer = http.get("/auth/me", headers={"Authorization": f"Bearer {held['token']}"})
    if answer.status_code == 401:
        return False
    if answer.status_code != 200:
        terminal.end(client.problem(answer))
    client.keep_session(address, held["token"], held["email"])
    print(f"Logged in to {address} as {held['email']}.")
    return True


def credentials(email: str | None) -> tuple[str, str]:
    """E-mail and password, each asked for on a terminal or a line of standard input. Ends the program when there is none."""
    try:
        email = email or input("E-mail: " if sys.stdin.isatty() else "")
        password = getpass.getpass("Password: ") if sys.stdin.isatty() else input()
    except EOFError:
        terminal.end(f"standard input ended before the {'password' if email else 'e-mail'}: ./quire login [E-MAIL]", 2)
    except KeyboardInterrupt:
        print(file=sys.stderr)
        terminal.end("stopped; nobody was logged in.", 130)
    if not email.strip():
        terminal.end("there is no log-in without an e-mail.", 2)
    return email.strip(), password


def main() -> None:
    arguments, address = parse(), client.url()
    email, password = credentials(DEMO_EMAIL if arguments.demo else arguments.email)
    body = {"email": email, "password": password}
    try:
        with client.open_anyone(address) as http:
            if arguments.demo and goes_on(http, address):
                return
            if arguments.register or arguments.demo:
                post(http, "/auth/register", body, (201, 409) if arguments.demo else (201,))
            session = post(http, "/auth/login", body, (200,), {401: DEMO_IS_FOREIGN} if arguments.demo else None).json()
        client.keep_session(address, session["token"], email)
    except httpx.HTTPError as error:
        terminal.end(client.no_answer(error))
    except httpx.InvalidURL:
        terminal.end(f"{address} is no address: an address is http://HOST:PORT or https://HOST.")
    except OSError as error:
        terminal.end(f"The session can't be kept: {error}.")
    except KeyboardInterrupt:
        terminal.end("stopped.", 130)
    print(f"Logged in to {address} as {email} until {session['expires_at']}.")


if __name__ == "__main__":
    main()
