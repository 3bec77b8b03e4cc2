"""Requests that are patient: repeated while the server asks for it, with the same key, by all workers together."""

import random
import threading
import time
from collections.abc import Callable

import httpx

from cli import client
from cli.outcome import Failed, Stop

# Answers that say "not now": 408 and 504 were cut off, 429 is a rate limit, 502 and 503 are a part that is away.
_NOT_NOW = frozenset((408, 429, 502, 503, 504))
# So long may a restart of the server take; afterwards the import ends, to be started again.
PATIENCE_S = 120
# A server that has never answered is more likely misspelled or down than away for a moment, and nothing is lost by ending.
FIRST_PATIENCE_S = 10
_AWAY = frozenset((502, 503, 504))
_WAIT_S_MAX = 15
# A body from here on takes longer than the default deadline on a small machine; a small one that does waits in vain.
_LARGE_BYTES = 1024 * 1024
_LARGE_DEADLINE_S = 30


class Connection:
    """Any number of threads may send. `stopping` ends every wait. on_silence gets the words when the first request of all has no answer and is repeated;
    `is_away` tells of later ones."""

    def __init__(self, http: httpx.Client, stopping: threading.Event, patience_s: float = PATIENCE_S,
                 on_silence: Callable[[str], None] = lambda words: None) -> None:
        self.http, self.stopping, self.patience_s, self.on_silence = http, stopping, patience_s, on_silence
        self.is_away = False
        self._has_answered = False
        self._open_at = 0.0  # no request before this (monotonic): one worker's "not now" holds for all

    def send(self, method: str, path: str, body: bytes | None = None, key: str | None = None, if_match: str | None = None) -> httpx.Response:
        """The first answer that is not "not now", whatever it says. Raises Stop without a session, and when patience is over."""
        headers = {} if body is None else {"Content-Type": "application/json"}
        headers |= {"Idempotency-Key": key} if key else {}
        headers |= {"If-Match": if_match} if if_match else {}
        headers |= {"Request-Timeout": str(_LARGE_DEADLINE_S)} if body is not None and len(body) >= _LARGE_BYTES else {}
        began, wait_s, tries = time.monotonic(), 0.25, 0
        while True:
            self._wait()
            try:
                tries += 1
                answer = self.http.request(method, path, content=body, headers=headers, timeout=self._timeout())
            except httpx.UnsupportedProtocol as error:
                raise Stop(client.no_answer(error)) from None
            except httpx.TransportError as error:
                words = client.no_answer(error)
                wait_s = min(wait_s * 2, _WAIT_S_MAX)
                self.is_away = True
            else:
                self.is_away = answer.status_code in _AWAY
                self._has_answered |= not self.is_away
                if answer.status_code == 401:
                    raise Stop(f"{client.problem(answer)}. Run ./quire login.")
                if answer.status_code not in _NOT_NOW:
                    return answer
                words, wait_s = client.problem(answer), retry_after_s(answer)
            if not self._has_answered and tries == 1:
                self.on_silence(words)
            if self._is_over(time.monotonic() - began, wait_s):
                raise Stop(words)
            # Not all at the same moment when it opens again.
            self._open_at = max(self._open_at, time.monotonic() + wait_s)
            self.stopping.wait(random.uniform(0, 0.2))

    def _timeout(self) -> httpx.Timeout:
        return self.http.timeout if self._has_answered else httpx.Timeout(FIRST_PATIENCE_S, connect=client.CONNECT_S)

    def _is_over(self, waited_s: float, wait_s: float) -> bool:
        if self._has_answered:
            return waited_s > self.patience_s
        return waited_s + wait_s > min(self.patience_s, FIRST_PATIENCE_S)

    def ask(self, method: str, path: str, allowed: tuple[int, ...] = (), **options: str | bytes | None) -> httpx.Response:
        """As send(), but an answer that is neither a success nor allowed raises Failed with the server's words."""
        answer = self.send(method, path, **options)
        if not answer.is_success and answer.status_code not in allowed:
            raise Failed("refused by the server", client.problem(answer))
        return answer

    def _wait(self) -> None:
        while (left_s := self._open_at - time.monotonic()) > 0:
            if self.stopping.wait(left_s):
                break
        if self.stopping.is_set():
            raise Stop("stopped")


def retry_after_s(answer: httpx.Response) -> float:
    """Retry-After in seconds (RFC 9110 10.2.3); a date or none is one second."""
    told = answer.headers.get("retry-after", "")
    return min(float(told), _WAIT_S_MAX) if told.isascii() and told.isdigit() else 1.0
