"""One session with a Quire server: the address and token from the environment, or from the file that `login` keeps."""

import json
import os
import pathlib
import ssl

import httpx

from cli import terminal
from cli.terminal import harmless_line

# The server answers within a request's deadline (30 s at most); what takes longer than this has no answer.
TIMEOUT_S = 40
# A machine that is there takes the connection within a repeated packet or two.
CONNECT_S = 5
TIMEOUT = httpx.Timeout(TIMEOUT_S, connect=CONNECT_S)
DEFAULT_URL = "http://127.0.0.1:8080"


def _session_file() -> pathlib.Path:
    return pathlib.Path(os.environ.get("QUIRE_SESSION_FILE", "/quire/session"))


def _kept() -> dict:
    """{"current": address, "sessions": {address: {"token", "email"}}}; empty when there is none, or none that can be read."""
    try:
        kept = json.loads(_session_file().read_text())
        return kept if isinstance(kept.get("sessions"), dict) else {}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        terminal.end(f"The kept session can't be read ({error}). Remove .quire/session and run ./quire login.")


def url() -> str:
    """QUIRE_URL; the address of the last log-in, unless a token of one's own came without; this machine's stack."""
    named = os.environ.get("QUIRE_URL") or (None if os.environ.get("QUIRE_TOKEN") else _kept().get("current"))
    return (named or os.environ.get("QUIRE_DEFAULT_URL") or DEFAULT_URL).rstrip("/")


def token() -> str | None:
    if own := os.environ.get("QUIRE_TOKEN"):
        return own.strip()
    held = kept_session(url())
    return held["token"] if held else None


def kept_session(address: str) -> dict | None:
    """{"token", "email"} of the last log-in there."""
    return _kept().get("sessions", {}).get(address)


def keep_session(address: str, new_token: str, email: str) -> None:
    """The file is whole at every moment, and its owner's only."""
    sessions = _kept().get("sessions", {}) | {address: {"token": new_token, "email": email}}
    file = _session_file()
    beside = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(json.dumps({"current": address, "sessions": sessions}) + "\n")
    beside.replace(file)


def believed() -> ssl.SSLContext:
    """Certificates of the usual authorities, and those of the file QUIRE_CA_FILE."""
    context = ssl.create_default_context()
    if more := os.environ.get("QUIRE_CA_FILE"):
        try:
            context.load_verify_locations(cafile=more)
        except OSError as error:
            terminal.end(f"QUIRE_CA_FILE holds no certificates that can be read ({error}).")
    return context


def open_anyone(address: str) -> httpx.Client:
    """Without a session."""
    return httpx.Client(base_url=address, timeout=TIMEOUT, trust_env=False, verify=believed())


def open_client(connections: int = 4) -> httpx.Client:
    """Ends the program with a sentence when there is no session."""
    address, held = url(), token()
    if held is None:
        terminal.end(f"There is no session for {address}: run ./quire login, or set QUIRE_TOKEN.")
    try:
        return httpx.Client(base_url=address, headers={"Authorization": f"Bearer {held}"}, timeout=TIMEOUT,
                            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections), trust_env=False,
                            verify=believed())
    except (httpx.InvalidURL, UnicodeEncodeError):
        terminal.end(f"{address} is no address, or the token none: an address is http://HOST:PORT or https://HOST.")


def no_answer(error: httpx.HTTPError) -> str:
    return f"No answer from {url()}: {error or type(error).__name__}."


def problem(response: httpx.Response) -> str:
    """What went wrong, in the server's words, with the id under which its logs tell more."""
    try:
        body = response.json()
        words = body.get("detail") or body["title"]
        # The server's sentence tells the first fault already.
        words += "".join(f"; {fault['field']}: {fault['message']}" for fault in body.get("errors", [])
                         if f"{fault['field']} {fault['message']}" not in words)
    except (ValueError, KeyError, AttributeError, TypeError):
        words = response.reason_phrase
    return harmless_line(f"{response.status_code}: {words} (request {response.headers.get('x-request-id', 'unknown')})")
