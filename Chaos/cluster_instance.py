"""An instance of Cloakroom, with a clock that can be moved."""
import base64
import os
import re
import secrets
import struct
import subprocess

from cluster_database import PASSWORD
from cluster_http import request
from network import CLIENTS

BINARY = os.environ["CLOAKROOM_BIN"]
# Seconds. An instance promises to end within ten.
STOP = 30
HOST = "app.example.com"
MASTER_SECRET = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
# Access tokens live for seconds, so that many renewals are under way when a part fails. The straggler window is long enough for
# what the rotation protocol assumes: the deadline of a browser and 10 seconds in the queue of a server.
SETTINGS = {
    "publicURL": f"https://{HOST}", "accessTokenLifetime": 5, "stragglerWindow": 18, "reissueDelay": 1, "signup": "open",
    "loginRateLimit": "off", "signupRateLimit": "off", "claims": "roles", "masterSecret": MASTER_SECRET, "shutdownDelay": 3}


def environment_name(setting):
    """The environment variable of a setting: that of `publicURL` is `CLOAKROOM_PUBLIC_URL`."""
    return "CLOAKROOM_" + re.sub(r"(?<=[a-z])(?=[A-Z])", "_", setting).upper()


class Instance:
    def __init__(self, machine, databases, proxy, wrong_clock):
        self.machine = machine
        self.url = f"http://{machine.address}:8080"
        self.private_url = f"http://{machine.address}:8081"
        hosts = ",".join(database.address for database in databases)
        self.store = f"postgres://cloakroom@{hosts}/cloakroom?target_session_attrs=read-write"
        self.proxy = proxy
        self.clock = machine.directory / "clock"
        self.wrong_clock = wrong_clock
        self.move_clock(0)

    def command(self, *arguments):
        return [BINARY, *arguments, "--data-dir", self.machine.directory / "state", "--store", self.store]

    def __str__(self):
        return self.machine.name

    def start(self):
        self.process = self.machine.start(
            "env", f"LD_PRELOAD={self.wrong_clock}", f"WRONG_CLOCK={self.clock}",
            *self.command("serve", "--host", self.machine.address, "--port", "8080"),
            environment=self.environment())

    def environment(self):
        settings = SETTINGS | {
            "privateListen": f"{self.machine.address}:8081", "trustedProxies": f"{self.proxy.address},{CLIENTS}"}
        return {environment_name(name): str(value) for name, value in settings.items()} | {"PGPASSWORD": PASSWORD}

    def move_clock(self, seconds):
        """Sets the error of the wall clock. The monotonic clock stays right."""
        # Not another file in its place: the instance has mapped this one.
        file = os.open(self.clock, os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(file, struct.pack("=q", seconds))
        os.close(file)

    def is_ready(self):
        return request("GET", f"{self.machine.address}:8081", "/readyz")[0] == 200

    def kill(self):
        self.machine.kill()
        self.process.wait()

    def stop(self):
        """Ends the instance as a service manager does, and returns its exit code: None if it had to be killed."""
        self.process.terminate()
        try:
            return self.process.wait(STOP)
        except subprocess.TimeoutExpired:
            self.kill()
            return None
