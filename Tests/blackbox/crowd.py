"""Thousands of connections in one event loop: slow clients, idle clients, and the backend behind the gateway."""
import asyncio
import collections
import socket
import time

# Seconds between two bytes of a slow client.
DRIP = 0.5
BYTES = 40
# The kernel's buffers take a large body; a huge one has to wait for its client.
BODIES = {b"/large": bytes(range(256)) * 2048, b"/huge": bytes(range(256)) * 65536}
PATIENCE = 240


async def connect(port, receive_buffer=None):
    connection = socket.socket()
    connection.setblocking(False)
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
    return connection


async def receive(connection, count=65536):
    try:
        return await asyncio.get_running_loop().sock_recv(connection, count)
    except ConnectionError:
        return b""


async def send(connection, data):
    await asyncio.get_running_loop().sock_sendall(connection, data)


async def until(connection, mark):
    data = b""
    while mark not in data and (more := await receive(connection)):
        data += more
    return data


async def rest(connection):
    """Everything until the server closes the connection."""
    data = b""
    while more := await receive(connection):
        data += more
    return data


async def slow_head(port, head):
    """Sends a head that never ends. Returns the response, and the seconds from the first byte to the end."""
    began = time.monotonic()
    connection = await connect(port)
    with connection:
        reading = asyncio.ensure_future(rest(connection))
        for number in range(int(PATIENCE / DRIP)):
            try:
                await send(connection, head[number:number + 1] or b"a")
            except ConnectionError:
                pass
            if (await asyncio.wait([reading], timeout=DRIP))[0]:
                break
        return (await reading), time.monotonic() - began


async def slow_body(port, head, pieces):
    """Sends a body piece by piece. Returns the response."""
    with await connect(port) as connection:
        await send(connection, head)
        for piece in pieces:
            await asyncio.sleep(DRIP)
            await send(connection, piece)
        return await until(connection, b"\r\n\r\n")


async def slow_reader(port, head, size=0, count=BYTES):
    """Reads `count` bytes of a response one by one, then the rest of a body of `size` bytes at once, or hangs up. Returns what
    it has read."""
    with await connect(port, receive_buffer=4096) as connection:
        await send(connection, head)
        data = bytearray()
        for _ in range(count):
            await asyncio.sleep(DRIP)
            data += await receive(connection, 1)
        while len(data) < size + max(0, data.find(b"\r\n\r\n") + 4) and (more := await receive(connection, 1 << 20)):
            data += more
        return bytes(data)


class Idle:
    """Connections that have sent one request each, and then stay open."""

    def __init__(self, port, head):
        self.port, self.head = port, head
        self.open = set()
        self.gate = asyncio.Semaphore(100)

    async def enter(self, count):
        await asyncio.gather(*(self._enter() for _ in range(count)))

    async def _enter(self):
        async with self.gate:
            connection = await connect(self.port)
            await send(connection, self.head)
            data = await until(connection, b"\r\n\r\nok")
        assert data.startswith(b"HTTP/1.1 200 "), data
        self.open.add(connection)
        asyncio.get_running_loop().add_reader(connection, self._leave, connection)

    def _leave(self, connection):
        asyncio.get_running_loop().remove_reader(connection)
        connection.close()
        self.open.remove(connection)


class CrowdBackend:
    """An app that reads whole bodies, and sends large ones as fast as they are taken."""

    def __init__(self):
        self.bodies = []
        self.ended = collections.Counter()

    async def start(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=4096)
        # Connections inherit it. With the default, bodies would fill gigabytes of the kernel's memory.
        self.server.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
        return "http://127.0.0.1:%d" % self.server.sockets[0].getsockname()[1]

    async def _serve(self, reader, writer):
        try:
            while True:
                await self._answer(await reader.readuntil(b"\r\n\r\n"), reader, writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, head, reader, writer):
        method, target, _ = head.split(b" ", 2)
        if method == b"POST":
            self.bodies.append(await self._body(head.lower(), reader))
        body = BODIES.get(target, b"ok")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
        try:
            for start in range(0, len(body), 65536):
                writer.write(body[start:start + 65536])
                await writer.drain()
            self.ended[target.decode(), "whole"] += 1
        except ConnectionError:
            self.ended[target.decode(), "cancelled"] += 1
            raise

    async def _body(self, head, reader):
        if b"transfer-encoding: chunked" not in head:
            return await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n")[0]))
        body = b""
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readline()
        return body
