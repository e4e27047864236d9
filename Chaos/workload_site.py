"""The deployment under test, as one process of the workload sees it: where requests go, and how each is recorded."""
import asyncio
import collections
import dataclasses
import random
import time

from browser_jar import Held
from workload_http import Endpoint, Lost, Unreachable
from workload_requests import Requests


@dataclasses.dataclass
class Result:
    """What a client knows after a request."""
    outcome: str
    code: str | None = None
    given: Held | None = None
    retry_after: float = 0
    body: bytes = b""

    @property
    def is_acknowledged(self):
        return self.outcome == "acknowledged"

    @property
    def is_refused(self):
        """Refused for good, as far as this token is concerned."""
        return self.outcome == "refused" and self.code not in ("unavailable", "rate_limited")


class Site:
    def __init__(self, settings, writer, number):
        self.settings = settings
        self.writer = writer
        self.random = random.Random(settings["seed"] * 1000 + number)
        self.window = float(settings["window"])
        self.is_steered = settings["steered"]
        # Less than a window passes between reading the jar and the decision, and from the decision to the jar.
        self.timeout = 600 if self.is_steered else min(5, 0.4 * self.window)
        self.requests = Requests(settings["origin"], settings["key"])
        self.base = Endpoint(settings["base"])
        self.public = [Endpoint(url) for url in settings["public"]]
        self.private = [Endpoint(url) for url in settings["private"]]
        self.is_proxied = settings["base"] not in settings["public"]
        self.operations = 0
        self.is_stopping = False
        # The server's clock was moved by so much since the start.
        self.offset = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.in_flight = 0
        self.sleepers = {}
        self.late = set()
        self.ended = collections.deque(maxlen=500)
        self.tasks = set()

    def now(self):
        return time.monotonic() + self.offset

    async def sleep(self, seconds):
        """Sleeps until the time is over or the workload stops."""
        if self.is_stopping:
            return
        waiter = asyncio.get_running_loop().create_future()
        timer = asyncio.get_running_loop().call_later(seconds, finish, waiter)
        self.sleepers[waiter] = self.now() + seconds
        try:
            await waiter
        finally:
            timer.cancel()
            del self.sleepers[waiter]

    def deliver_late(self, seconds, store):
        """Calls `store` after some time, but before the clock is moved."""
        def deliver():
            self.late.discard(entry)
            timer.cancel()
            store()
        entry = deliver
        self.late.add(entry)
        timer = asyncio.get_running_loop().call_later(seconds, deliver)

    async def pause(self):
        """Waits until nothing is in flight, and until every reader must have heard of what was ended."""
        self.gate.clear()
        while self.in_flight:
            await asyncio.sleep(0.02)
        for deliver in list(self.late):
            deliver()
        await asyncio.sleep(1.1)

    def go_on(self, seconds):
        """Goes on at a time that is so much later."""
        self.offset += seconds
        for waiter, end in list(self.sleepers.items()):
            if end <= self.now():
                finish(waiter)
        self.gate.set()

    def stop(self):
        self.is_stopping = True
        for waiter in list(self.sleepers):
            finish(waiter)

    def start(self, coroutine):
        """Runs a coroutine beside the others. Its requests are finished before the workload ends."""
        task = asyncio.create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def close(self):
        for endpoint in [self.base, *self.public, *self.private]:
            endpoint.close()

    def browser_route(self):
        """Mostly through the proxy, else at one instance: tabs of one browser land on different ones."""
        if self.public and self.random.random() < 0.3:
            return self._one_of(self.public)
        return self.base, None

    def private_route(self, instance=None):
        if instance is not None:
            return self.private[instance], instance
        return self._one_of(self.private)

    def _one_of(self, endpoints):
        instance = self.random.randrange(len(endpoints))
        return endpoints[instance], instance

    async def perform(self, op, client, make, jar=None, held=None, private=False, instance=None, cut=None, ends=None, **fields):
        """Sends one request and records it. `make` and `ends` are called with the cookie of the jar, or with `held`, when a
        connection is free."""
        endpoint, instance = self.private_route(instance) if private else self.browser_route()
        async with endpoint.slots:
            await self.gate.wait()
            held = jar.held if jar else held
            if jar and held is None:
                return Result("skipped")
            request = make(held)
            record = {"kind": "operation", "op": op, "client": client.name, "role": client.role} | fields
            if ends:
                record["ends"] = ends(held)
            if held:
                record |= {"session": held.session, "held": held.identity}
            record |= {
                "started": round(self.now(), 4), "sent": None, "via": "private" if private else "public", "instance": instance}
            self.in_flight += 1
            try:
                result = await self._ask(endpoint, request, cut, record, private or not self.is_proxied or instance is not None)
            finally:
                self.in_flight -= 1
            record |= {"ended": round(self.now(), 4), "outcome": result.outcome}
        if result.given:
            record["given"] = result.given.identity
            record.setdefault("session", result.given.session)
        self.writer.write({key: value for key, value in record.items() if value is not None})
        self.operations += 1
        return result

    async def _ask(self, endpoint, request, cut, record, is_direct):
        try:
            # If the clock is steered, nothing may be under way when it is moved: the answer is read and forgotten.
            answer = await endpoint.ask(request, self.timeout, None if self.is_steered else cut)
        except Unreachable:
            return Result("unreachable")
        except Lost as lost:
            if lost.args:
                record["sent"] = round(lost.args[0] + self.offset, 4)
            return Result("unknown")
        record["sent"] = round(answer.sent + self.offset, 4)
        return Result("unknown") if cut is not None else self._read(answer, record, is_direct)

    def _read(self, answer, record, is_direct):
        status = answer.status
        record["status"] = status
        if status >= 500:
            # A proxy makes answers of its own when it loses an instance. Only ours have this header.
            if not is_direct and "x-content-type-options" not in answer.headers:
                record["via"] = "proxy"
                return Result("unknown")
            record["retryAfter"] = answer.headers.get("retry-after")
        cookie = answer.cookie
        if status == 201 and not cookie and b'"set_cookie"' in answer.body:
            cookie = answer.json["set_cookie"][0].split(";", 1)[0].split("=", 1)[1]
        given = Held(cookie) if cookie else None
        if status >= 400:
            code = answer.json.get("code") if answer.is_problem else None
            record["code"] = code = code or str(status)
            return Result("refused", code, given, float(answer.headers.get("retry-after") or 0))
        if answer.body == b'{"authenticated":false}':
            record["code"] = "unauthenticated"
            return Result("refused", "unauthenticated", given)
        if record["op"] == "signup":
            record["subject"] = answer.json["user"]["id"]
        return Result("acknowledged", None, given, body=answer.body)


def finish(waiter):
    if not waiter.done():
        waiter.set_result(None)
