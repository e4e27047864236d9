"""The gateway's memory while one large body crosses it, in each direction."""
import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from . import server
from .bench import Bench
from .peers.launch import Running
from .rounds import BROKEN
from .wrk import COOKIE

UP, DOWN = "upload", "download"
SIZE, QUICK_SIZE = 1 << 30, 1 << 27
PIECE = bytes(1 << 20)
PAUSE = 2
"""The seconds for which the receiving side does not read. A front that reads on meanwhile stores what it reads."""
FLAT = 10
"""The growth in MiB that still counts as flat: one hundredth of the body."""
PATIENCE = 120


def what(way: str, size: int) -> str:
    return f"{way} of {size >> 20:,} MiB"


def sizes(bench: Bench) -> int:
    return QUICK_SIZE if bench.quick else SIZE


def estimate(bench: Bench) -> float:
    return bench.rounds * 2 * (PAUSE + 2 + sizes(bench) / 500e6)


def run(bench: Bench, scenario: str, data: Path) -> None:
    for way in (UP, DOWN):
        name, problem = what(way, sizes(bench)), None
        rounds: list[tuple[float, float]] = []
        for number in range(1, bench.rounds + 1):
            bench.progress.say(f"round {number} of {bench.rounds}, {name}")
            try:
                rounds.append(_round(bench, data, way))
            except (http.client.HTTPException, *BROKEN) as failure:
                problem = f"round {number}: {failure}"
        add = bench.results.add
        add(scenario, name, "memory before", "MiB", [before for before, _ in rounds], problem=problem)
        add(scenario, name, "highest memory", "MiB", [highest for _, highest in rounds], problem=problem)
        add(scenario, name, "growth", "MiB", [highest - before for before, highest in rounds], problem=problem)


def _round(bench: Bench, data: Path, way: str) -> tuple[float, float]:
    """The resident memory in MiB: before, and the highest."""
    with (data / "cookies").open() as lines:
        cookie = COOKIE + next(lines).strip()
    with _backend() as port, server.cloakroom(bench, data, upstream=f"http://127.0.0.1:{port}") as running:
        # A first small body, so that the growth is without what every connection needs.
        _cross(running, way, cookie, len(PIECE), pause=0)
        before = running.rss_kib()
        running.forget_highest_rss()
        _cross(running, way, cookie, sizes(bench), pause=PAUSE)
        return before / 1024, running.highest_rss_kib() / 1024


def _cross(running: Running, way: str, cookie: str, size: int, pause: float) -> None:
    """Raises an error if not every byte arrives."""
    origin = f"localhost:{running.port}"
    headers = {"Host": origin, "Origin": f"http://{origin}", "Sec-Fetch-Site": "same-origin", "Cookie": cookie}
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=PATIENCE)
    try:
        if way == UP:
            body = (PIECE for _ in range(size // len(PIECE)))
            connection.request("POST", f"/?pause={pause}", body, headers | {"Content-Length": str(size)})
        else:
            connection.request("GET", f"/?size={size}", headers=headers)
            time.sleep(pause)
        answer = connection.getresponse()
        # The response to an upload contains the number of bytes that arrived.
        arrived = int(answer.read()) if way == UP else _drained(answer, size)
        if answer.status != 200 or arrived != size:
            raise RuntimeError(f"{way}: {answer.status}, {arrived:,} of {size:,} bytes")
    finally:
        connection.close()


def _drained(stream: http.client.HTTPResponse, size: int) -> int:
    """Reads up to `size` bytes, and returns how many there were."""
    piece, arrived = bytearray(len(PIECE)), 0
    while arrived < size and (count := stream.readinto(memoryview(piece)[: size - arrived])):
        arrived += count
    return arrived


class _Bodies(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE
    wbufsize = 0

    def do_GET(self) -> None:
        size = int(self.path.partition("size=")[2])
        self._begin(size)
        for _ in range(size // len(PIECE)):
            self.wfile.write(PIECE)

    def do_POST(self) -> None:
        time.sleep(float(self.path.partition("pause=")[2]))
        arrived = str(_drained(self.rfile, int(self.headers["Content-Length"]))).encode()
        self._begin(len(arrived))
        self.wfile.write(arrived)

    def _begin(self, length: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _backend() -> Iterator[int]:
    backend = ThreadingHTTPServer(("127.0.0.1", 0), _Bodies)
    backend.daemon_threads = True
    thread = threading.Thread(target=backend.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield backend.server_address[1]
    finally:
        backend.shutdown()
        thread.join()
        backend.server_close()
