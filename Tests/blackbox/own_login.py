"""The apps of Examples/own-login, and Cloakroom in front of them with the rules of docs/own-login.md."""
import os
import re
import socket
import subprocess

from backend import add_credential
from server import ROOT, Server, wait_until

EXAMPLES = ROOT / "Examples/own-login"
SNIPPETS = ROOT / "docs/snippets/own-login"
# Debian's Python has Debian's Flask.
APPS = {"flask": ["/usr/bin/python3", "-m", "flask", "run", "--port"], "node": ["node", "server.mjs"], "hummingbird": None}


def hummingbird(stage):
    build = ["swift", "build", "--package-path", EXAMPLES, "--scratch-path", ROOT / ".build"]
    subprocess.run(build, check=True)
    return [ROOT / f".build/debug/OwnLogin{stage.capitalize()}"]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class App:
    """An example as a process of its own."""

    def __init__(self, name, stage, port, wrapper=(), **environment):
        """`wrapper`: a command that executes its arguments."""
        self.port = port
        command = [*APPS[name], str(self.port)] if name == "flask" else APPS[name] or hummingbird(stage)
        clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
        self.process = subprocess.Popen(
            [*wrapper, *command], cwd=EXAMPLES / name / stage, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=clean | {"PORT": str(self.port), "PYTHONDONTWRITEBYTECODE": "1"} | environment)
        wait_until(self.listens, 60)

    def listens(self):
        assert self.process.poll() is None, self.process.stdout.read()
        return is_open(self.port)

    def stop(self):
        self.process.terminate()
        self.process.wait(15)


class Gateway:
    """Cloakroom in front of the app, with the rules of the document."""

    def __init__(self, directory, app_port, **settings):
        self.server_address = ("127.0.0.1", free_port())
        self.origin = f"http://localhost:{self.server_address[1]}"
        rules = directory / "gateway.yaml"
        rules.write_text((SNIPPETS / "gateway.yaml").read_text().replace("127.0.0.1:3000", f"127.0.0.1:{app_port}"))
        self.server = Server(
            directory / "data", config=rules, publicURL=self.origin, port=str(self.server_address[1]), **settings)

    def stop(self):
        self.server.stop()


def environment(front):
    """The variables of the document, with the addresses and the key of this test."""
    text = (SNIPPETS / "environment.sh").read_text()
    here = {"127.0.0.1:8081": f"127.0.0.1:{front.server.private_port}", "127.0.0.1:8080": f"127.0.0.1:{front.server.port}",
            "https://app.example.com": front.origin, "crk_...": add_credential(front.server, scope="sessions:create")["key"]}
    for old, new in here.items():
        assert old in text
        text = text.replace(old, new)
    return dict(re.findall(r"^export (\w+)=(\S+)", text, re.M))
