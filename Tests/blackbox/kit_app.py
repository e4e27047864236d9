"""Starts the apps in Tests/blackbox/kits, which use the kits for Python and Node."""
import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import threading

from backend import add_credential
from backends import ADD_KIT, free_port, set_constant
from browser import TIMEOUT
from server import wait_until

APPS = pathlib.Path(__file__).parent / "kits"
COMMANDS = {
    "python": [sys.executable, "-W", "error", "app.py"],
    "node": ["node", "app.mjs"],
    # Two workers, forked from a process that has loaded the app: the harder case, because threads do not survive a fork.
    "gunicorn": [sys.executable, "-m", "gunicorn", "--preload", "--workers", "2", "--bind", "127.0.0.1:{port}", "app:app"],
}


class KitApp:
    """An app as a process. `listener`: what it follows, by default the private listener of the server; None: no stream.

    `constants`: other values of limits.py and limits.js. Further options are those of ResourceServer, or of RevocationSource. A view
    counts as current for half a minute, where a test says nothing else: a busy machine must not make it stale.
    """

    SOURCE = ("stale_after", "insecure_trusts_tokens_when_stale")

    def __init__(self, kit, directory, server, listener="", command=None, constants=None, **options):
        self.directory = directory
        shutil.copytree(APPS, directory)
        ADD_KIT[kit](directory)
        for path in [*directory.rglob("limits.py"), *directory.rglob("limits.js")]:
            text = path.read_text()
            for name, seconds in (constants or {}).items():
                text, count = set_constant(text, name, seconds)
                assert count == 1, name
            path.write_text(text)
        self.port = free_port()
        environment = {"PORT": str(self.port), "OPTIONS": json.dumps(self.options(server, listener, options))}
        self.log = open(directory / "log", "wb")
        self.process = subprocess.Popen(
            [part.format(port=self.port) for part in COMMANDS[command or kit]], cwd=directory, env=os.environ | environment, stdout=self.log,
            stderr=self.log)
        wait_until(lambda: self.accepts() or self.process.poll() is not None, 60)
        assert self.process.poll() is None, self.text()

    def options(self, server, listener, options):
        found = {"issuer": "http://localhost", "jwks": f"{server.origin}/.well-known/jwks.json"}
        source = {name: options.pop(name) for name in self.SOURCE if name in options}
        if listener is not None:
            key = add_credential(server, scope="revocations:read")
            self.credential = key["id"]
            found["revocations"] = {"private_listener": listener or private_address(server), "key": key["key"], "stale_after": 30} | source
        return found | options

    def accepts(self):
        with socket.socket() as connection:
            return connection.connect_ex(("127.0.0.1", self.port)) == 0

    def get(self, path, headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        body = json.loads(response.read())
        connection.close()
        return response.status, response.headers, body

    def ask(self, token=None):
        """The status and the code, or the claims of a good response."""
        status, _, body = self.get("/notes", {"Authorization": f"Bearer {token}"} if token else {})
        return status, body.get("code", body)

    def ask_each(self, workers, token):
        """The status of each worker of gunicorn by the number of its process.

        A worker that waits for the end of a request takes no other one. So each holds one, however the kernel shares them out.
        """
        held = [socket.create_connection(("127.0.0.1", self.port), TIMEOUT) for _ in range(workers)]
        for connection in held:
            connection.sendall(f"GET /notes HTTP/1.1\r\nHost: app\r\nAuthorization: Bearer {token}\r\n".encode())
        wait_until(lambda: not waiting_connections(self.port), 60)
        return dict(self.finish(connection) for connection in held)

    def finish(self, connection):
        with connection:
            connection.sendall(b"Connection: close\r\n\r\n")
            response = http.client.HTTPResponse(connection)
            response.begin()
            return int(response.headers["Process"]), response.status

    def state(self):
        return self.get("/state", {})[2]

    def wait_for(self, token, status):
        return wait_until(lambda: (answer := self.ask(token))[0] == status and answer)[1]

    def text(self):
        return (self.directory / "log").read_text()

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()


def waiting_connections(port):
    """How many connections the listener at this port has not yet taken: what Linux has as the receive queue of a listener."""
    sockets = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    [queues] = [fields[4] for fields in sockets if fields[1] == f"0100007F:{port:04X}" and fields[3] == "0A"]
    return int(queues.partition(":")[2], 16)


def private_address(server):
    return f"unix:{server.private_socket}" if server.private_socket else f"http://127.0.0.1:{server.private_port}"


# What a stream that is current has four times a second. A response that began so long ago has not been held back by a relay.
LIVE = b": live\n\nevent: current\ndata: {\"age\":0,\"elapsed\":1000000}\n\n"


class FakeListener:
    """A private listener of the test. It gives each connection, with the head of its request, to `respond`."""

    HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"

    def __init__(self, respond):
        self.respond = respond
        self.heads = []
        self.connections = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.serve, args=[connection], daemon=True).start()

    def serve(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(65536) or b"\r\n\r\n"
        self.heads.append(head.decode())
        try:
            self.respond(connection, len(self.heads))
        except OSError:
            pass    # the app has closed the connection

    def last_event_ids(self):
        lines = [line.partition(": ") for head in self.heads for line in head.split("\r\n")]
        return [value for name, _, value in lines if name.lower() == "last-event-id"]

    def stop(self):
        self.listener.close()
        for connection in self.connections:
            connection.close()


def event(name, fields, place=None):
    identity = f"id: {place}\n" if place else ""
    return f"{identity}event: {name}\ndata: {json.dumps(fields)}\n\n".encode()
