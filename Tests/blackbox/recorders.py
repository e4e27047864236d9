"""Servers of other projects behind the gateway. Each says what it has read in every request."""
import json
import os
import pathlib
import queue
import socket
import subprocess
import sys
import threading

from raw_backend import free_port
from server import ROOT, wait_until

FILES = pathlib.Path(__file__).parent / "peers"
TIMEOUT = 60


class Recorder:
    """A process that prints its port, and a line of JSON for each request."""

    def __init__(self, *command):
        self.process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    def until(self, target):
        """The requests before the one to `target`, which has been sent already."""
        requests = []
        while (request := self.lines.get(timeout=TIMEOUT))["target"] != target:
            requests.append(request)
        return requests

    def stop(self):
        self.process.terminate()
        self.process.wait(15)


def node(directory):
    return Recorder("node", FILES / "recorder.mjs")


def h11(directory):
    return Recorder(sys.executable, FILES / "recorder.py")


def go(directory):
    program = directory / "recorder"
    environment = os.environ | {"GO111MODULE": "off", "GOCACHE": str(ROOT / ".build/go")}
    subprocess.run(["go", "build", "-o", program, FILES / "recorder.go"], check=True, env=environment)
    return Recorder(program)


class Nginx(Recorder):
    """nginx in front of h11, which says what nginx has sent."""

    def __init__(self, directory):
        super().__init__(sys.executable, FILES / "recorder.py")
        behind, self.front = self.port, free_port()
        configuration = directory / "nginx.conf"
        configuration.write_text(f"""
            daemon off; pid {directory}/nginx.pid; error_log {directory}/error.log; worker_processes 1;
            events {{ }}
            http {{
                access_log off; client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
                fastcgi_temp_path {directory}/fastcgi; scgi_temp_path {directory}/scgi; uwsgi_temp_path {directory}/uwsgi;
                server {{
                    listen 127.0.0.1:{self.front};
                    location / {{ proxy_pass http://127.0.0.1:{behind}; proxy_http_version 1.1; proxy_set_header Connection ""; }}
                }}
            }}""")
        self.proxy = subprocess.Popen(["nginx", "-p", str(directory), "-e", str(directory / "error.log"), "-c", str(configuration)])
        wait_until(self._accepts)

    def _accepts(self):
        try:
            socket.create_connection(("127.0.0.1", self.front), TIMEOUT).close()
            return True
        except ConnectionRefusedError:
            return False

    @property
    def address(self):
        return f"http://127.0.0.1:{self.front}"

    def stop(self):
        self.proxy.terminate()
        self.proxy.wait(15)
        super().stop()


ALL = {"nginx": Nginx, "node": node, "go": go, "h11": h11}
