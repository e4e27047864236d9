"""Clients that log in, each as fast as the server permits."""
import http.client
import itertools
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

PATIENCE = 30
BACK_OFF = 1.0
"""The pause of a client after a 503, in seconds: less than its Retry-After. Without a pause, the clients would take the
processor from the load tool, and the server would seem slow."""
RIGHT, WRONG = "correct horse battery", "wrong horse battery"


@dataclass
class Logins:
    began: float = field(default_factory=time.monotonic)
    ended: float = 0.0
    answers: Counter[int] = field(default_factory=Counter)
    busy: int = 0
    """Responses of 503 with Retry-After."""
    failures: int = 0

    @property
    def rate(self) -> float:
        """The number of checked passwords, right or wrong."""
        return (self.answers[200] + self.answers[401]) / (self.ended - self.began)

    @property
    def problem(self) -> str | None:
        odd = {status: count for status, count in self.answers.items() if status not in (200, 401, 503)}
        without = self.answers[503] - self.busy
        if self.failures or odd or without:
            return f"{self.failures} connections failed, {without} answers 503 without Retry-After, others: {odd}"
        return None


@contextmanager
def storm(port: int, clients: int, users: int, cpus: set[int] | None) -> Iterator[Logins]:
    """Runs logins until the block ends."""
    logins = Logins()
    over = threading.Event()
    lock = threading.Lock()
    numbers = itertools.count()

    def one_client() -> None:
        if cpus:
            os.sched_setaffinity(0, cpus)  # of this thread
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        while not over.is_set():
            try:
                status, retry_after = _log_in(connection, port, next(numbers), users)
            except (OSError, http.client.HTTPException):
                connection.close()
                with lock:
                    logins.failures += not over.is_set()
                over.wait(BACK_OFF)
                continue
            with lock:
                if not over.is_set():
                    logins.answers[status] += 1
                    logins.busy += status == 503 and retry_after
            if status == 503:
                over.wait(BACK_OFF)
        connection.close()

    threads = [threading.Thread(target=one_client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield logins
    finally:
        logins.ended = time.monotonic()
        over.set()
        for thread in threads:
            thread.join()


def _log_in(connection: http.client.HTTPConnection, port: int, number: int, users: int) -> tuple[int, bool]:
    """Every second password is wrong, which costs the same."""
    password = RIGHT if number % 2 else WRONG
    body = json.dumps({"email": f"bench-{number % users}@example.com", "password": password})
    origin = f"localhost:{port}"
    headers = {"Host": origin, "Origin": f"http://{origin}", "Content-Type": "application/json"}
    connection.request("POST", "/auth/login", body, headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.getheader("Retry-After") is not None
