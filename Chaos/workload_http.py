"""A small HTTP/1.1 client on asyncio: connections are kept open, and a caller can cut one after it has sent a request."""
import asyncio
import json
import socket
import struct
import time
import urllib.parse

CONNECT_TIMEOUT = 1.5
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Unreachable(Exception):
    """Nothing was sent."""


class Lost(Exception):
    """The request was sent, and no response came."""


class Answer:
    __slots__ = ("status", "headers", "body", "sent", "ended")

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def cookie(self):
        """The value of the cookie in `Set-Cookie`; empty if it was deleted, None without one."""
        line = self.headers.get("set-cookie")
        return None if line is None else line.split(";", 1)[0].split("=", 1)[1]

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def is_problem(self):
        return self.headers.get("content-type", "").startswith("application/problem+json")


def parse(buffer):
    """The response at the start of the buffer and the number of its bytes; None if it is not complete."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    first, *lines = buffer[:end].decode("latin-1").split("\r\n")
    status = int(first.split(" ", 2)[1])
    headers = {}
    for line in lines:
        name, value = line.split(":", 1)
        headers[name.lower()] = value.strip()
    start = end + 4
    if status in (204, 304):
        return Answer(status, headers, b""), start
    if headers.get("transfer-encoding") == "chunked":
        return parse_chunks(buffer, start, status, headers)
    length = int(headers.get("content-length", 0))
    if len(buffer) < start + length:
        return None
    return Answer(status, headers, bytes(buffer[start:start + length])), start + length


def parse_chunks(buffer, position, status, headers):
    body = b""
    while (end := buffer.find(b"\r\n", position)) >= 0:
        size = int(buffer[position:end], 16)
        position = end + 2 + size + 2
        if len(buffer) < position:
            return None
        body += buffer[end + 2:end + 2 + size]
        if size == 0:
            return Answer(status, headers, bytes(body)), position
    return None


class Connection(asyncio.Protocol):
    def __init__(self):
        self.buffer = bytearray()
        self.waiting = None
        self.is_open = True

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.buffer += data
        parsed = parse(self.buffer)
        if parsed is None:
            return
        answer, length = parsed
        del self.buffer[:length]
        if answer.headers.get("connection", "").lower() == "close":
            self.close()
        if self.waiting and not self.waiting.done():
            self.waiting.set_result(answer)

    def connection_lost(self, _):
        self.is_open = False
        if self.waiting and not self.waiting.done():
            self.waiting.set_exception(Lost())

    def close(self):
        self.is_open = False
        self.transport.close()

    def cut(self):
        """Closes with a reset, so that the kernel drops what it has not delivered: a request must not arrive much later."""
        self.is_open = False
        if not self.transport.is_closing():
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            self.transport.abort()


class Endpoint:
    """One listener. A caller holds one of `slots` for each request, which bounds the connections."""

    def __init__(self, url, limit=64):
        parts = urllib.parse.urlsplit(url)
        self.host, self.port = parts.hostname, parts.port or 80
        self.idle = []
        self.slots = asyncio.Semaphore(limit)

    async def ask(self, request, timeout, cut=None):
        """Sends a request and returns the answer. `cut`: resets the connection so many seconds after the request was sent."""
        connection = await self._connection()
        sent = time.monotonic()
        connection.waiting = asyncio.get_running_loop().create_future()
        connection.transport.write(request)
        try:
            answer = await asyncio.wait_for(connection.waiting, timeout if cut is None else cut)
        except (TimeoutError, asyncio.TimeoutError, Lost):
            connection.cut()
            raise Lost(sent) from None
        except asyncio.CancelledError:
            connection.cut()
            raise
        answer.sent, answer.ended = sent, time.monotonic()
        if connection.is_open:
            self.idle.append(connection)
        return answer

    async def _connection(self):
        while self.idle:
            connection = self.idle.pop()
            if connection.is_open and not connection.transport.is_closing():
                return connection
        loop = asyncio.get_running_loop()
        try:
            attempt = loop.create_connection(Connection, self.host, self.port)
            return (await asyncio.wait_for(attempt, CONNECT_TIMEOUT))[1]
        except (OSError, TimeoutError, asyncio.TimeoutError):
            raise Unreachable() from None

    def close(self):
        for connection in self.idle:
            connection.cut()
        self.idle = []
