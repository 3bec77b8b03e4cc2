#!/usr/bin/env python3
"""A TCP relay that can be slow: what comes in on either side goes out again after a delay, in order. A process of its own, so that it is
as quick as it can be while it has no delay. The network emulator of the kernel (sch_netem) would do the same, but is not in every kernel.

    relay.py LISTEN_PORT:TARGET_PORT ...     on loopback; a line "LISTEN_PORT SECONDS" on standard input sets the delay of each direction"""

import asyncio
import socket
import sys

CHUNK_BYTES = 64 * 1024
WAITING_CHUNKS_MAX = 256  # then reading stops, as with any full pipe


def keep_alive(end):
    """As PostgreSQL has it (compose/postgres/postgresql.conf): a peer that vanished without a word is noticed, and its backend ends."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, 5), (socket.TCP_KEEPINTVL, 2), (socket.TCP_KEEPCNT, 3)):
        end.setsockopt(socket.IPPROTO_TCP, option, value)


class Route:
    def __init__(self, words):
        self.listen_port, self.target_port = map(int, words.split(":"))
        self.delay_s = 0.0

    async def serve(self):
        server = await asyncio.start_server(self.relay, "127.0.0.1", self.listen_port)
        async with server:
            await server.serve_forever()

    async def relay(self, reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            writer.close()
            return
        for end in (writer, far_writer):
            keep_alive(end.get_extra_info("socket"))
        await asyncio.gather(self.forward(reader, far_writer), self.forward(far_reader, writer))

    async def forward(self, reader, writer):
        """One direction, until its end or a failure, which the other side is told by the end of its connection."""
        queue = asyncio.Queue(WAITING_CHUNKS_MAX)
        sender = asyncio.create_task(self.send(queue, writer))
        try:
            while chunk := await reader.read(CHUNK_BYTES):
                await queue.put((asyncio.get_running_loop().time() + self.delay_s, chunk))
        except OSError:
            pass
        await queue.put((0.0, b""))
        await sender

    async def send(self, queue, writer):
        loop = asyncio.get_running_loop()
        broken = False
        while True:
            due, chunk = await queue.get()
            if not chunk:
                break
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
            try:
                if not broken:
                    writer.write(chunk)
                    await writer.drain()
            except OSError:
                broken = True  # the rest is taken and dropped, so that the reader isn't held up
        writer.close()


async def obey(routes):
    """Lines of standard input; its end is ours."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        port, seconds = line.split()
        routes[int(port)].delay_s = float(seconds)


async def main():
    routes = {route.listen_port: route for route in map(Route, sys.argv[1:])}
    serving = [asyncio.create_task(route.serve()) for route in routes.values()]
    await obey(routes)
    for task in serving:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main())
