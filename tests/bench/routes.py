"""What is measured: routes of the contract, as files of whole requests that both load tools send in turn, and the floors that each stands on."""

import hashlib
import json
import pathlib
import time
from dataclasses import dataclass

import prose
from client import Api
from servers.waiting import wait_until

WORDS = ("river stone lantern meadow copper signal harbour orchard velvet thunder paper willow anchor cinder ledger compass granite "
         "saddle ribbon quarry beacon timber hollow marble").split()
NO_DATABASE = ""  # a floor of nginx, Kafka and Redis alone
PASSWORD = "correct horse battery staple"
LIBRARY = 1000  # documents of the account that reads
BATCH = 50  # documents a request
READY_S = 120  # for all that is prepared
PASSAGES = 10_000  # of the account of natural text
PASSAGES_ROUTE = "POST /query, 10,000 passages"
PASSAGES_DOCUMENT_BYTES = 10_000
PASSAGES_BATCH = 25
READ_IN_TURN = 100  # of the library
WRITERS = 32  # accounts: what one account's writes wait for is its own
QUESTION = "which lantern stands by the harbour?"
# What the query service makes of the question, for PostgreSQL's own rate of the same search.
QUESTION_WORDS = "ARRAY['which', 'lantern', 'stands', 'by', 'the', 'harbour']"


def questions() -> list[str]:
    """Of two different words each, so that the questions of a batch differ: equal ones are asked once."""
    return [f"which {first} stands by the {second}?" for first in WORDS for second in WORDS if first != second]


def text_of(size: int, seed: int) -> str:
    """Prose-like text of about `size` bytes, the same for the same seed."""
    words, state, length = [], seed, 0
    while length < size:
        state = (state * 1103515245 + 12345) % 2**31
        words.append(WORDS[state % len(WORDS)] + ("." if state % 11 == 0 else ""))
        length += len(words[-1]) + 1
    return " ".join(words)[:size]


@dataclass(frozen=True)
class Route:
    """`select`: the PostgreSQL floor (floors.STATEMENTS) that a request stands on beside the others, or NO_DATABASE; None: none is composed. More than `connections_max` would only
    measure refusals: so many wait longer than their deadline, or bring more bytes than a gateway takes in."""
    name: str
    file: pathlib.Path
    select: str | None
    connections_max: int = 1000


def get(path: str, token: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def send(method: str, path: str, token: str, body: dict) -> bytes:
    content = json.dumps(body).encode()
    head = (f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\n\r\n")
    return head.encode() + content


def post(path: str, token: str, body: dict) -> bytes:
    return send("POST", path, token, body)


def write_requests(path: pathlib.Path, requests: list[bytes]) -> pathlib.Path:
    path.write_bytes(b"".join(b"%d\n%s" % (len(request), request) for request in requests))
    return path


def open_account(url: str, name: str) -> tuple[Api, str]:
    """With a session; and its e-mail."""
    api, email = Api(url), f"bench-{name}-{time.time_ns()}@quire.example"
    wait_until(lambda: api.register(email, PASSWORD).status_code in (201, 409), READY_S, "an account is open")
    api.token = wait_until(lambda: api.log_in(email, PASSWORD).json()["token"], READY_S, "a session is open")
    return api, email


def store(api: Api, documents: list[dict], key: str) -> list[dict]:
    """The items of the answer; asked again with the same key while a machine that is just starting everything is too slow for a deadline."""
    answer = lambda: api.post("/documents/batch", {"documents": documents}, key=key, headers={"Request-Timeout": "30"}).json()["items"]  # noqa: E731
    return wait_until(answer, READY_S, "documents are stored", every=0.5)


def store_library(api: Api, count: int) -> list[str]:
    """Ids of so many documents of 1 KB."""
    items = [{"title": f"Document {number}", "content": text_of(1024, number)} for number in range(count)]
    return [item["id"] for start in range(0, count, BATCH) for item in store(api, items[start:start + BATCH], f"bench-{start}")]


class Library:
    """One account with a thousand documents that is read and searched, and others that write. `folder` keeps the files of requests."""

    def __init__(self, url: str, folder: str) -> None:
        self.url, self.folder = url, pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        reader, self.email = open_account(url, "reader")
        self.token, self.account_id = reader.token, reader.get("/auth/me").json()["id"]
        self.ids = store_library(reader, LIBRARY)
        self.writers = [open_account(url, f"writer-{number}")[0].token for number in range(WRITERS)]
        tag = hashlib.sha256(self.email.encode()).digest()[:2].hex()
        self.session_key = f"quire:{{{tag}}}:session:{hashlib.sha256(self.token.encode()).hexdigest()}"

    def _file(self, name: str, requests: list[bytes]) -> pathlib.Path:
        return write_requests(self.folder / f"{name}.requests", requests)

    def _post(self, size: int, accounts: int) -> list[bytes]:
        return [post("/documents", token, {"title": "Bench", "content": text_of(size, number)})
                for number, token in enumerate(self.writers[:accounts], 1)]

    def natural(self) -> Route:
        """Questions as people ask them, to an account of 10,000 passages of natural text, all of which the product itself cut and indexed."""
        scholar, passages, number = open_account(self.url, "scholar")[0], 0, 0
        while passages < PASSAGES:
            documents = [{"title": f"Reference {seed}", "content": prose.document(PASSAGES_DOCUMENT_BYTES, seed)} for seed in range(number, number + PASSAGES_BATCH)]
            number += PASSAGES_BATCH
            store(scholar, documents, f"reference-{number}")
            passages += sum(item["chunk_count"] for item in scholar.get(f"/documents?limit={PASSAGES_BATCH}").json()["items"])
        asked = self._file("questions", [post("/query", scholar.token, {"query": question}) for question in prose.QUESTIONS])
        return Route(PASSAGES_ROUTE, asked, None, 64)

    def routes(self) -> list[Route]:
        reads = [get(f"/documents/{document}", self.token) for document in self.ids[:READ_IN_TURN]]
        writes = self._post(1024, WRITERS)
        mix = [request for number, write in enumerate(writes) for request in (*(reads[(number * 9 + i) % len(reads)] for i in range(9)), write)]
        return [
            Route("GET /auth/me", self._file("me", [get("/auth/me", self.token)]), NO_DATABASE, 10_000),
            Route("GET /documents/{id}", self._file("read", reads), "document", 10_000),
            Route("GET /documents", self._file("list", [get("/documents", self.token)]), "page"),
            Route("POST /query", self._file("query", [post("/query", self.token, {"query": QUESTION})]), "search"),
            Route("POST /documents, 1 KB", self._file("write-1k", writes), None),
            Route("POST /documents, 100 KB", self._file("write-100k", self._post(100 * 1024, 8)), None, 64),
            Route("POST /documents, 1 MB", self._file("write-1m", self._post(1024 * 1024, 4)), None, 16),
            Route("90 % read, 10 % write", self._file("mix", mix), None),
        ]
