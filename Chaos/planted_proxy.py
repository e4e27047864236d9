"""Proxies in front of a real server that misbehave, so that the workload meets a system that is broken in a known way."""
import asyncio
import json
import random
import threading

from browser_jar import digest
from workload_http import parse
from workload_requests import NAME

NO_CONTENT = b"HTTP/1.1 204 No Content\r\nX-Content-Type-Options: nosniff\r\n\r\n"
LOGGED_OUT = NO_CONTENT.replace(b"\r\n\r\n", f"\r\nSet-Cookie: {NAME}=; Path=/; Max-Age=0\r\n\r\n".encode())


def problem(status, code, headers=""):
    body = json.dumps({"code": code, "status": status})
    return (f"HTTP/1.1 {status} Problem\r\nContent-Type: application/problem+json\r\n{headers}"
            f"Content-Length: {len(body)}\r\n\r\n{body}").encode()


class Request:
    """A request as the proxy sees it."""

    def __init__(self, data):
        self.data = data
        head = data.split(b"\r\n\r\n", 1)[0].decode("latin-1").split("\r\n")
        self.line = " ".join(head[0].split(" ")[:2])
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}

    @property
    def credential(self):
        return digest(self.headers.get("cookie", "") + self.headers.get("authorization", ""))


class Honest:
    """Passes everything on. The others override `before`, which may answer by itself, or `after`, which may change the answer.
    `found_by`: the rules that must be violated; `also`: rules that may be, as a consequence. `needs_windows`: shows only when
    straggler windows close."""

    found_by = also = frozenset()
    needs_windows = False

    def before(self, request):
        return None

    def after(self, request, answer):
        return answer


class ReplaysAnOldAnswer(Honest):
    """A cache for POST: a renewal that brings nothing gets the last answer of its user's address that did."""
    found_by = {"newer_or_nothing"}
    # A renewal during a check is not in the cache, so the jar may go back to a spent token.
    also = {"no_honest_logout", "no_alarm_without_a_thief"}

    def __init__(self):
        self.answers = {}

    def after(self, request, answer):
        if request.line != "POST /auth/refresh" or not answer.startswith(b"HTTP/1.1 200"):
            return answer
        session = json.loads(answer.split(b"\r\n\r\n", 1)[1])["session"]["id"]
        if b"\r\nSet-Cookie: " in answer:
            self.answers[session] = answer
        return self.answers.get(session, answer)


class SwallowsLogouts(Honest):
    found_by = {"no_end_is_lost", "revoked_within_a_second"}

    def before(self, request):
        return LOGGED_OUT if request.line == "POST /auth/logout" else None


class SwallowsEndsByTheApp(Honest):
    found_by = {"no_end_is_lost", "revoked_within_a_second"}

    def before(self, request):
        return NO_CONTENT if request.line.startswith("DELETE /service/sessions/") else None


class CachesChecks(Honest):
    """Answers a check from a cache that does not hear of revocations."""
    found_by = {"revoked_within_a_second"}

    def __init__(self):
        self.answers = {}

    def before(self, request):
        return self.answers.get(request.credential) if request.line == "GET /auth/check" else None

    def after(self, request, answer):
        if request.line == "GET /auth/check" and answer.startswith(b"HTTP/1.1 204") and b"\r\nSet-Cookie: " not in answer:
            self.answers[request.credential] = answer
        return answer


class ForgivesSpentTokens(Honest):
    """Answers a spent token like one that is in force. What the server did stays hidden at first."""
    found_by = {"every_theft_is_found"}
    needs_windows = True
    served = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 22\r\n\r\n{"authenticated":true}'

    def after(self, request, answer):
        if request.line == "POST /auth/refresh" and b'"refresh_token_reused"' in answer:
            return self.served
        return answer


class SwallowsPasswordChanges(Honest):
    found_by = {"passwords_are_in_force"}
    also = {"no_end_is_lost", "revoked_within_a_second"}

    def before(self, request):
        return NO_CONTENT if request.line == "POST /auth/password" else None


class LogsOut(Honest):
    """Refuses one renewal in thirty as if the session had ended."""
    found_by = {"no_honest_logout"}
    also = {"no_login_is_lost"}

    def __init__(self):
        self.random = random.Random(1)

    def before(self, request):
        if request.line == "POST /auth/refresh" and self.random.random() < 1 / 30:
            return problem(401, "session_revoked")
        return None


class Fails(Honest):
    """Answers one request in fifty with an error of the server, or with 503 that does not say when to come back."""
    found_by = {"only_503_with_retry_after"}

    def __init__(self):
        self.random = random.Random(1)

    def before(self, request):
        luck = self.random.random()
        if luck < 0.01 and not request.line.endswith("/healthz"):
            return problem(500, "internal")
        return problem(503, "unavailable") if luck < 0.02 else None


BROKEN = [
    ReplaysAnOldAnswer, SwallowsLogouts, SwallowsEndsByTheApp, CachesChecks, ForgivesSpentTokens, SwallowsPasswordChanges, LogsOut,
    Fails]


class Proxy:
    """Listens on a port for each of `ports`, and applies the same behaviour to all of them. Runs in a thread of its own."""

    def __init__(self, behaviour, ports):
        self.behaviour = behaviour
        self.targets = ports
        self.ports = []
        self.relays = set()
        self.ready = threading.Event()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=[self.serve()])
        self.thread.start()
        self.ready.wait()

    async def serve(self):
        self.end = asyncio.Event()
        servers = []
        for port in self.targets:
            servers.append(await asyncio.start_server(lambda *streams, port=port: self.relay(port, *streams), "127.0.0.1", 0))
            self.ports.append(servers[-1].sockets[0].getsockname()[1])
        self.ready.set()
        await self.end.wait()
        for server in servers:
            server.close()
        for relay in list(self.relays):
            relay.cancel()
        await asyncio.gather(*list(self.relays), return_exceptions=True)

    def stop(self):
        self.loop.call_soon_threadsafe(self.end.set)
        self.thread.join()

    async def relay(self, port, reader, writer):
        self.relays.add(asyncio.current_task())
        upstream = await asyncio.open_connection("127.0.0.1", port)
        try:
            while request := await read_request(reader):
                answer = self.behaviour.before(request)
                if answer is None:
                    upstream[1].write(request.data)
                    answer = self.behaviour.after(request, await read_answer(upstream[0]))
                writer.write(answer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.relays.discard(asyncio.current_task())
            writer.close()
            upstream[1].close()


async def read_request(reader):
    """The next request; None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    request = Request(head)
    request.data += await reader.readexactly(int(request.headers.get("content-length", 0)))
    return request


async def read_answer(reader):
    data = b""
    while (parsed := parse(data)) is None:
        more = await reader.read(65536)
        if not more:
            raise ConnectionError()
        data += more
    return data[:parsed[1]]
