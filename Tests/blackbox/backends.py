"""Starts the examples of docs/backends.md and docs/kits.md as processes, with a server of key sets between them and Cloakroom."""
import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.request

from backend import add_credential
from server import ROOT, wait_until

EXAMPLES = ROOT / "Examples/backends"
KITS = ROOT / "kits"
JARS = ":".join(f"/usr/share/java/jackson-{name}.jar" for name in ("databind", "core", "annotations"))


class KeyServer:
    """Serves the key set of a running Cloakroom, with further keys of the test. It counts the fetches and can fail."""

    FAULTS = {
        "error": (503, b"{}"), "page": (200, b"<!doctype html><p>Welcome"), "empty": (200, b'{"keys":[]}'), "null": (200, b"null"),
        "half": (200, b'{"keys":[{"kid":"test","kty":"EC","crv":"P-256","use":"sig","alg":"ES256","x":"AA"}]}')}

    def __init__(self, cloakroom, keys):
        self.cloakroom = cloakroom
        self.service_key = add_credential(cloakroom, scope="revocations:read")["key"]
        self.keys = keys
        self.fetches = 0
        self.fault = None
        self.release = threading.Event()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                owner.fetches += 1
                owner.answer(self)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/.well-known/jwks.json"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request):
        if self.fault == "hang":
            self.release.wait()
        elif self.fault != "reset":
            self.respond(request)
        request.close_connection = True

    def respond(self, request):
        status, body = self.FAULTS.get(self.fault) or (200, self.key_set())
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def heal(self):
        """Ends the fault, and closes the connections that hang."""
        self.fault = None
        self.release.set()
        self.release = threading.Event()

    def key_set(self):
        with urllib.request.urlopen(f"{self.cloakroom.origin}/.well-known/jwks.json", timeout=60) as response:
            return json.dumps({"keys": json.load(response)["keys"] + self.keys}).encode()

    def stop(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def add_python_kit(directory):
    """Puts the kit beside an app, where Python finds it."""
    name = "cloakroom_resource_server"
    shutil.copytree(KITS / "python" / name, directory / name, ignore=shutil.ignore_patterns("__pycache__"))


def add_node_kit(directory):
    """Puts the kit where Node finds it."""
    shutil.copytree(KITS / "node", directory / "node_modules/cloakroom-resource-server")


def go(directory):
    environment = os.environ | {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(ROOT / ".build/go")}
    subprocess.run(["go", "build", "-o", "backend", "."], cwd=directory, env=environment, check=True)
    return ["./backend"]


def java(directory):
    subprocess.run(["javac", "-Xlint:all", "-Werror", "-cp", JARS, "App.java", "AccessToken.java"], cwd=directory, check=True)
    return ["java", "-cp", f".:{JARS}", "App"]


# The folder of each example, the command that must be there, and a function that makes the files ready and returns the command.
LANGUAGES = {
    "python": ("python", sys.executable, lambda directory: [sys.executable, "-W", "error", "app.py"]),
    "joserfc": ("python", sys.executable, lambda directory: [sys.executable, "app_joserfc.py"]),
    "node": ("node", "node", lambda directory: ["node", "app.mjs"]),
    "go": ("go", "go", go),
    "java": ("java", "javac", java),
    "php": ("php", "php", lambda directory: ["php", "-S", "127.0.0.1:{port}", "index.php"]),
    "ruby": ("ruby", "rackup", lambda directory: ["rackup", "--env", "deployment", "--host", "127.0.0.1", "--port", "{port}"]),
}

ADD_KIT = {"python": add_python_kit, "node": add_node_kit}


def set_constant(text, name, seconds):
    """Replaces the value of a constant of the example, which has one name in all languages."""
    go = f"{round(seconds * 1000)} * time.Millisecond"
    pattern = rf"(\b{name}\s*= )\d+( \* time\.Second)?"
    return re.subn(pattern, lambda match: match[1] + (go if match[2] else f"{seconds:g}"), text, flags=re.I)


class Backend:
    """A copy of an example, which fetches its keys from a test's server."""

    def __init__(self, language, directory, issuer, **constants):
        folder, _, prepare = LANGUAGES[language]
        self.directory = pathlib.Path(directory) / language
        shutil.copytree(EXAMPLES / folder, self.directory)
        if language in ADD_KIT:
            ADD_KIT[language](self.directory)
        self.edit(issuer, constants)
        self.port = free_port()
        command = [part.format(port=self.port) for part in prepare(self.directory)]
        self.log = open(self.directory / "log", "wb")
        # A process group of its own: PHP starts workers. More than one worker shows that they share the key set.
        self.process = subprocess.Popen(
            command, cwd=self.directory, stdout=self.log, stderr=self.log, start_new_session=True,
            env=os.environ | {"PORT": str(self.port), "PHP_CLI_SERVER_WORKERS": "3", "SERVICE_KEY": issuer.service_key})
        wait_until(lambda: self.accepts() or not self.is_alive(), 60)
        assert self.is_alive(), (self.directory / "log").read_text()

    def edit(self, issuer, constants):
        """Writes the addresses of the test and other times into the example, and into the kit beside it."""
        addresses = {
            "http://127.0.0.1:8080/.well-known/jwks.json": issuer.url, "/var/lib/app": str(self.directory),
            "http://127.0.0.1:8081": f"http://127.0.0.1:{issuer.cloakroom.private_port}"}
        replaced = dict.fromkeys(constants, 0)
        for path in filter(pathlib.Path.is_file, self.directory.rglob("*")):
            text = path.read_text()
            for old, new in addresses.items():
                text = text.replace(old, new)
            for name, seconds in constants.items():
                text, count = set_constant(text, name, seconds)
                replaced[name] += count
            path.write_text(text)
        assert 0 not in replaced.values(), replaced

    def accepts(self):
        with socket.socket() as connection:
            return connection.connect_ex(("127.0.0.1", self.port)) == 0

    def is_alive(self):
        return self.process.poll() is None

    def ask(self, *headers):
        """Sends a request with these `Authorization` headers. Returns the status, the challenge and the body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.putrequest("GET", "/notes")
        for header in headers:
            connection.putheader("Authorization", header)
        connection.endheaders()
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response.status, response.headers["WWW-Authenticate"], json.loads(body)

    def status(self, token):
        return self.ask(f"Bearer {token}")[0]

    def stop(self):
        if self.is_alive():
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(20)
        self.log.close()
