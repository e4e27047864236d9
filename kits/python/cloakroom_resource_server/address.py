"""The addresses of what the issuer serves, and connections to them."""
import http.client
import ipaddress
import os
import socket
import threading
import urllib.parse

from .limits import TIMEOUT


class UnusableAddress(ValueError):
    """An address of the issuer that a `ResourceServer` cannot use."""


class IssuerFailure(Exception):
    """A response of the issuer that cannot be used."""


class ServiceAddress:
    """`https://`, `http://` to the local host, or with `path` the Unix socket of a private listener (`unix:/path`)."""

    def __init__(self, text: str, path: str = "", allows_plain_http: bool = False):
        self.text = text + path
        self.socket_path: str | None = None
        if path and text.startswith("unix:/"):
            self.socket_path = text.removeprefix("unix:")
            self.target = path
            return
        try:
            parts = urllib.parse.urlsplit(self.text)
            self.scheme, self.host, self.port = parts.scheme, parts.hostname, parts.port
        except ValueError as error:
            raise UnusableAddress(f"{text}: {error}") from None
        if self.scheme not in ("http", "https") or not self.host or parts.username or parts.query or parts.fragment:
            raise UnusableAddress(f"{text} is not an http or https address")
        if self.scheme == "http" and not allows_plain_http and not _is_loopback(self.host):
            raise UnusableAddress(
                f"{text}: http to another host lets others replace the keys; use https, or insecure_allows_plain_http")
        self.target = parts.path or "/"

    def connect(self) -> "Connection":
        """Opens a connection for one request."""
        if self.socket_path:
            connection: http.client.HTTPConnection = _UnixConnection(self.socket_path)
        elif self.scheme == "https":
            connection = http.client.HTTPSConnection(self.host, self.port, timeout=TIMEOUT)
        else:
            connection = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT)
        connection.connect()
        return Connection(connection, self.target)


class Connection:
    """One request to the issuer. Redirects are not followed: the address in the configuration is the one that was checked."""

    def __init__(self, connection: http.client.HTTPConnection, target: str):
        self._connection = connection
        self._target = target
        # http.client forgets the socket once the response says that it closes the connection.
        self._socket = connection.sock

    def get(self, headers: dict[str, str]) -> http.client.HTTPResponse:
        """Sends the request, and reads the head of a successful response."""
        self._connection.request("GET", self._target, headers=headers)
        response = self._connection.getresponse()
        if response.status != 200:
            raise IssuerFailure(f"the status is {response.status}")
        return response

    def limit_silence(self, seconds: float) -> None:
        """A read that gets no byte for longer than this raises `TimeoutError`."""
        self._socket.settimeout(seconds)

    def end(self) -> None:
        """Ends the connection, also for a thread that reads from it."""
        try:
            # The method of the base class: that of a TLS socket is not made for a call beside a read.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        except OSError:
            pass

    def close(self) -> None:
        self._connection.close()

    def abandon(self) -> None:
        """Closes the file descriptor that a child process inherited. The connection of the parent goes on."""
        descriptor = self._socket.detach()
        if descriptor >= 0:
            os.close(descriptor)


class Deadline:
    """Ends a connection that takes longer than `seconds`. The timeout of a socket limits each read, not all of them together."""

    def __init__(self, connection: Connection, seconds: float):
        self._connection = connection
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._is_over = False

    def _end(self) -> None:
        self._is_over = True
        self._connection.end()

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *error: object) -> None:
        self._timer.cancel()
        if self._is_over:
            raise IssuerFailure("there was no complete response in time")


class _UnixConnection(http.client.HTTPConnection):
    """The host is only a name here; the private listener answers to this one."""

    def __init__(self, path: str):
        super().__init__("localhost", timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT)
        try:
            self.sock.connect(self._path)
        except OSError:
            self.sock.close()
            raise


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
