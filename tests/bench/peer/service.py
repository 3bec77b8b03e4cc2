"""The peer's backend: the routes over Quire's own tables, asyncpg and Redis, uvicorn's workers. What a careful team would write at first: pools, prepared
statements, one round trip each. `uvicorn service:app`; settings: PEER_PRIMARY, PEER_REPLICA, PEER_REDIS, PEER_POSTINGS_MAX."""

import base64
import binascii
import hashlib
import os
import re
import secrets
import time
import uuid
from contextlib import asynccontextmanager

import asyncpg
import redis.asyncio
from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel

POOL_MAX = 10  # of each worker
CHUNK_CHARACTERS = 1000
IMPACT = 128  # of a lexeme in a chunk: its rank isn't what is measured
WORD = re.compile(r"\w+")


class Draft(BaseModel):
    title: str
    content: str


class Question(BaseModel):
    query: str
    top_k: int = 5


@asynccontextmanager
async def connected(app: FastAPI):
    app.state.primary = await asyncpg.create_pool(os.environ["PEER_PRIMARY"], min_size=1, max_size=POOL_MAX)
    app.state.replica = await asyncpg.create_pool(os.environ["PEER_REPLICA"], min_size=1, max_size=POOL_MAX)
    app.state.redis = redis.asyncio.from_url(os.environ["PEER_REDIS"])
    yield
    await app.state.redis.aclose()
    await app.state.replica.close()
    await app.state.primary.close()


app = FastAPI(lifespan=connected)


async def account_of(request: Request) -> uuid.UUID:
    """The session's account, from the copy that Redis has (services/runtime/redis/quire.lua says how it is kept)."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    try:
        tag = base64.urlsafe_b64decode(token + "==")[:2].hex()
    except binascii.Error as error:
        raise HTTPException(401) from error
    key = f"quire:{{{tag}}}:session:{hashlib.sha256(token.encode()).hexdigest()}"
    account, expires_ms = await app.state.redis.hmget(key, "account", "expires_ms")
    if account is None or int(expires_ms) < time.time() * 1000:
        raise HTTPException(401)
    return uuid.UUID(account.decode())


def document_id() -> uuid.UUID:
    """UUIDv7."""
    value = (time.time_ns() // 1_000_000) << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)
    return uuid.UUID(int=value)


@app.get("/auth/me")
async def me(request: Request):
    row = await app.state.replica.fetchrow("SELECT id, email, created_at FROM session.accounts WHERE id = $1", await account_of(request))
    return dict(row)


@app.get("/documents/{document}")
async def read(document: uuid.UUID, request: Request):
    row = await app.state.replica.fetchrow(
        "SELECT id, title, content, tags, metadata, language, version, chunk_count, created_at, updated_at FROM documents.documents"
        " WHERE id = $1 AND account_id = $2", document, await account_of(request))
    if row is None:
        raise HTTPException(404)
    return dict(row)


@app.post("/documents", status_code=201)
async def create(draft: Draft, request: Request):
    account, document = await account_of(request), document_id()
    chunks = [draft.content[at:at + CHUNK_CHARACTERS] for at in range(0, len(draft.content), CHUNK_CHARACTERS)]
    entries: dict[str, list[int]] = {}
    for index, chunk in enumerate(chunks):
        for word in set(WORD.findall(chunk.lower())):
            entries.setdefault(word, []).append(index << 8 | IMPACT)
    postings = ["{" + ",".join(map(str, entry)) + "}" for entry in entries.values()]
    row = await app.state.primary.fetchrow(
        "SELECT ret_id, ret_language, ret_chunk_count, ret_at FROM documents.store($1, $2, $3, 3600, 'peer', ARRAY[$4::uuid], ARRAY[$5::text],"
        " ARRAY[$6::text], ARRAY['{}'], ARRAY['{}'], ARRAY['en'], ARRAY[$7::int], $8, $9, $10, $11, $12, $13, $14)",
        account, secrets.token_hex(16), hashlib.sha256(draft.content.encode()).digest(), document, draft.title, draft.content, len(chunks),
        [1] * len(chunks), list(range(len(chunks))), [""] * len(chunks), chunks, [1] * len(entries), list(entries), postings)
    return {"id": row["ret_id"], **draft.model_dump(), "language": row["ret_language"], "chunk_count": row["ret_chunk_count"], "created_at": row["ret_at"]}


@app.post("/query")
async def query(question: Question, request: Request):
    account = await account_of(request)
    rows = await app.state.replica.fetch(
        "SELECT ret_document AS document_id, ret_title AS title, ret_chunk AS chunk_index, ret_body AS text, ret_score AS score"
        " FROM documents.search($1, 'en', $2, NULL, NULL, NULL, $3, $4)",
        account, list(dict.fromkeys(WORD.findall(question.query.lower()))), question.top_k, int(os.environ["PEER_POSTINGS_MAX"]))
    return {"results": [dict(row) for row in rows]}
