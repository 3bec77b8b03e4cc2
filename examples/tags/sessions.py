"""Who calls: the session check of services/runtime/redis/quire.lua, one round trip a request."""

import time
from dataclasses import dataclass
from uuid import UUID

import redis
from log import Outage
from redis.backoff import NoBackoff
from redis.retry import Retry

WAIT_S = 0.4


class Away(Exception):
    """Redis can't be asked, or doesn't hold the live sessions yet."""


@dataclass(frozen=True)
class Verdict:
    """`status` is 0 for who may pass, else what to refuse with."""
    status: int
    account: UUID | None = None
    retry_after_s: int | None = None


class Sessions:
    """One thread."""

    def __init__(self, settings, log) -> None:
        self._redis = redis.Redis(**settings.redis, socket_timeout=WAIT_S, socket_connect_timeout=WAIT_S, retry=Retry(NoBackoff(), 0),
                                  client_name="quire-tags")
        self._limits = ["1" if settings.limits else "0", 1_000_000 // settings.account_rate, settings.account_burst, settings.account_concurrent]
        self._outage = Outage(log, "redis")

    def check(self, request) -> Verdict:
        """Raises Away. A Redis that was restarted or emptied says "unknown" of everyone, until the session service has filled it and noted which
        server it filled: so the epoch is asked behind the check, and only then is its word believed."""
        if request.session is None:
            return Verdict(401)
        tag, token_hash = request.session[:2].hex(), request.session[2:].hex()
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.fcall("quire_check", 1, f"quire:{{{tag}}}:session:{token_hash}", request.correlation, request.deadline_ms, *self._limits)
        pipeline.get("quire:epoch")
        pipeline.info("server")
        try:
            answer, epoch, server = pipeline.execute()
        except redis.RedisError as error:
            self._outage.began(error)
            raise Away from error
        if epoch is None or epoch.decode() != server["run_id"]:
            self._outage.began(Exception("sessions are being loaded"))
            raise Away
        self._outage.ended()
        verdict, account, _watermark, _remaining, _reset_s, retry_s = answer
        if verdict == 0:
            return Verdict(401)
        if verdict != 1:
            return Verdict(429, retry_after_s=retry_s)
        return Verdict(0, UUID(account.decode()))

    def release(self, request, account: UUID) -> None:
        """Gives the request's place among the account's concurrent ones back; what fails is given back by its deadline."""
        try:
            self._redis.fcall("quire_release", 1, f"quire:{{{request.session[:2].hex()}}}:account:{account}:places", request.correlation)
        except redis.RedisError as error:
            self._outage.began(error)

    def milliseconds(self) -> float | None:
        """How long Redis takes to answer; None: away."""

        began = time.monotonic()
        try:
            self._redis.ping()
        except redis.RedisError:
            return None
        return (time.monotonic() - began) * 1000
