"""The peer's gateway: every request goes on to the service over HTTP, and its answer comes back. `uvicorn gateway:app`; PEER_SERVICE is the address."""

import os
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI, Request, Response

CONNECTIONS_MAX = 100  # of each worker to the service: httpx's own default
TIMEOUT_S = 10
PASSED_ON = ("authorization", "content-type")


@asynccontextmanager
async def connected(app: FastAPI):
    limits = httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX)
    async with httpx.AsyncClient(base_url=os.environ["PEER_SERVICE"], timeout=TIMEOUT_S, limits=limits) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=connected)


@app.api_route("/{path:path}", methods=["GET", "POST"])
async def forward(path: str, request: Request) -> Response:
    headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
    try:
        answer = await app.state.client.request(request.method, f"/{path}", headers=headers, content=await request.body())
    except httpx.TimeoutException:
        return Response(status_code=504)
    except httpx.TransportError:
        return Response(status_code=502)
    return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))
