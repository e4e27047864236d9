"""A proxy in front of an app, and Cloakroom beside it."""
import grp
import itertools
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile

from browser import NAME, PASSWORD
from recording_app import Backend
from relay import Relay, Stream
from server import ROOT, Server

HOST = "app.example.com"
ORIGIN = f"https://{HOST}"
TRUSTED = "https://www.example.com"
LIFETIME, WINDOW = 300, 30
STALE = LIFETIME + WINDOW       # after so many seconds, a check renews the session
numbers = itertools.count()


class Place:
    def __init__(self, kind, replacements=None, has_own_login=False, **settings):
        self.kind = kind
        self.has_own_login = has_own_login
        self.ann = self.settled = None
        # A short name: the path of a socket has at most 107 characters. The worker of a proxy may run as another user.
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="proxied-"))
        self.directory.chmod(0o755)
        self.socket = self.directory / "private.sock"
        self.started = []
        try:
            self.make_certificate()
            self.backend = self.keep(Backend())
            self.server = self.keep(self.start_cloakroom(settings))
            self.relay = self.keep(Relay(self.socket, self.directory / "real.sock"))
            self.proxy = self.keep(kind(self, replacements))
        except BaseException:
            self.stop()
            raise

    def settle(self):
        """Renews the shared session and confirms the renewal, so that the next one is due when the clock moves by STALE."""
        for _ in range(2):
            assert self.ann.send("POST", "/auth/refresh").status == 200
        self.settled = self.server.time

    def keep(self, part):
        self.started.append(part)
        return part

    def start_cloakroom(self, settings):
        text = (ROOT / "deploy/proxies" / self.kind.name / "cloakroom.yaml").read_text()
        for old, new in {
                "/run/cloakroom/private.sock": f"{self.directory}/real.sock",
                f"privateSocketGroup: {self.kind.group} ": f"privateSocketGroup: {grp.getgrgid(os.getgid()).gr_name} "}.items():
            assert text.count(old) == 1, f"cloakroom.yaml does not have one {old}"
            text = text.replace(old, new)
        (self.directory / "cloakroom.yaml").write_text(text)
        return Server(
            self.directory / "data", clock="+0", private=False, config=self.directory / "cloakroom.yaml",
            accessTokenLifetime=LIFETIME, stragglerWindow=WINDOW, trustedOrigins=TRUSTED, **settings)

    def make_certificate(self):
        self.certificate, self.key = self.directory / "cert.pem", self.directory / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj",
             f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", self.key, "-out", self.certificate],
            check=True, capture_output=True)
        self.trust = ssl.create_default_context(cafile=self.certificate)

    def wire(self, address="127.0.0.1"):
        """A connection to the proxy, from an address of this machine."""
        plain = socket.create_connection(("127.0.0.1", self.proxy.port), 60, source_address=(address, 0))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Stream(self.trust.wrap_socket(plain, server_hostname=HOST))

    def stop(self):
        for part in reversed(self.started):
            part.stop()
        shutil.rmtree(self.directory)


class Browser:
    """Keeps the cookie, and sends the headers of browsers."""

    def __init__(self, place, address="127.0.0.1"):
        self.place = place
        self.address = address
        self.cookie = None

    def fields(self, method, site, headers):
        fields = {"Host": HOST, "Sec-Fetch-Site": site, "Sec-Fetch-Mode": "cors"}
        if method not in ("GET", "HEAD"):
            fields["Origin"] = ORIGIN if site == "same-origin" else "https://evil.example"
        if self.cookie:
            fields["Cookie"] = f"theme=dark; {NAME}={self.cookie}; lang=en"
        return {name: value for name, value in (fields | (headers or {})).items() if value is not None}

    def send(self, method, target, headers=None, body=b"", keep=True, site="same-origin", wire=None, most=1):
        """`keep`: False loses the cookie of the response. `wire`: the connection of an earlier request. `most`: how many session
        cookies the response may have."""
        fields = self.fields(method, site, headers)
        if isinstance(body, dict):
            body = json.dumps(body).encode()
            fields["Content-Type"] = "application/json"
        connection = wire or self.place.wire(self.address)
        try:
            connection.request(method, target, fields, body, host=False)
            answer = connection.answer(method)
        finally:
            if wire is None:
                connection.socket.close()
        mine = own_cookies(answer)
        assert len(mine) <= most, mine
        if mine and keep:
            self.cookie = mine[-1].split(";")[0].split("=", 1)[1] or None
        return answer

    def get(self, target, **options):
        return self.send("GET", target, **options)

    def navigate(self, target, **options):
        return self.get(target, headers={"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"}, **options)

    def sign_up(self):
        self.email = f"ann{next(numbers)}@example.com"
        answer = self.send("POST", "/auth/signup", body={"email": self.email, "password": PASSWORD})
        assert answer.status == 201, answer

    def log_in(self, email, password=PASSWORD, headers=None):
        return self.send("POST", "/auth/login", body={"email": email, "password": password}, headers=headers)


def own_cookies(answer):
    return [value for value in answer.set_cookies if value.startswith(NAME + "=")]
