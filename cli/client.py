"""One session with a Quire server: the address and token from the environment or from the file that `login` keeps."""

import json
import os
import pathlib
import sys

import httpx

SESSION_FILE = pathlib.Path("/quire/session")
# The server answers within a request's deadline (30 s at most); what takes longer than this has no answer.
TIMEOUT_S = 40


def url() -> str:
    return os.environ["QUIRE_URL"].rstrip("/")


def keep_session(token: str, email: str) -> None:
    SESSION_FILE.touch(mode=0o600)
    SESSION_FILE.write_text(json.dumps({"url": url(), "token": token, "email": email}) + "\n")


def kept_token() -> str | None:
    if token := os.environ.get("QUIRE_TOKEN"):
        return token
    if not SESSION_FILE.exists():
        return None
    session = json.loads(SESSION_FILE.read_text())
    return session["token"] if session["url"] == url() else None


def open_client(connections: int = 4) -> httpx.Client:
    """Ends the program with a sentence when there is no session."""
    token = kept_token()
    if token is None:
        sys.exit(f"There is no session for {url()}: run ./quire login, or set QUIRE_TOKEN.")
    return httpx.Client(base_url=url(), headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT_S,
                        limits=httpx.Limits(max_connections=connections), trust_env=False)


def problem(response: httpx.Response) -> str:
    """What went wrong, in the server's words, with the id under which its logs tell more."""
    try:
        body = response.json()
        words = body.get("detail") or body["title"]
        words += "".join(f"; {fault['field']}: {fault['message']}" for fault in body.get("errors", []))
    except (ValueError, KeyError):
        words = response.reason_phrase
    return f"{response.status_code}: {words} (request {response.headers.get('x-request-id', 'unknown')})"
