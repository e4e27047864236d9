"""An HTTP/2 client that sends one frame at a time, and keeps how each stream ended."""
import socket
import subprocess

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from browser import NAME
from raw_backend import free_port
from wire import RawAnswer

TIMEOUT = 60


def certificate(directory, name="127.0.0.1"):
    """A self-signed certificate for an address, and its key."""
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj",
         f"/CN={name}", "-addext", f"subjectAltName=IP:{name}", "-keyout", key, "-out", certificate],
        check=True, capture_output=True)
    key.chmod(0o600)
    return certificate, key


def secured(directory):
    """Settings of a server that terminates TLS."""
    port = str(free_port())
    chain, key = certificate(directory)
    return {"tlsCert": chain, "tlsKey": key, "port": port, "publicURL": f"https://127.0.0.1:{port}"}


class Answer(RawAnswer):
    """A response. `ended`: by END_STREAM; `reset`: the error code of RST_STREAM, or None."""

    def __init__(self):
        self.status, self.headers, self.body = None, [], b""
        self.ended, self.reset = False, None

    def __repr__(self):
        return f"<{self.status} ended: {self.ended} reset: {self.reset} {self.headers} {self.body[:200]!r}>"


class HTTP2:
    """One connection. It reads only while a method waits. `acknowledges`: whether it answers SETTINGS and PING. `goaway`:
    the error code of GOAWAY, or None."""

    def __init__(self, server, acknowledges=True):
        connected = socket.create_connection(("127.0.0.1", server.port), TIMEOUT)
        self.socket = server.tls("h2").wrap_socket(connected, server_hostname="127.0.0.1")
        assert self.socket.selected_alpn_protocol() == "h2"
        self.authority = f"127.0.0.1:{server.port}"
        self.origin = server.origin
        self.acknowledges = acknowledges
        self.answers = {}
        self.buffer = b""
        self.closed = False
        self.goaway = None
        self.connection = h2.connection.H2Connection(h2.config.H2Configuration(
            header_encoding="latin-1", validate_outbound_headers=False, normalize_outbound_headers=False))
        self.connection.initiate_connection()
        self.connection.increment_flow_control_window(1 << 30)
        self._flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def request(self, method, target, *fields, cookie=None, end=True, pseudo=()):
        """Opens a stream with a request head. `pseudo`: other values of pseudo-header fields; None leaves one out."""
        head = {":method": method, ":scheme": "https", ":authority": self.authority, ":path": target} | dict(pseudo)
        lines = [(name, value) for name, value in head.items() if value is not None] + list(fields)
        if method not in ("GET", "HEAD", "OPTIONS") and "origin" not in dict(fields):
            lines.append(("origin", self.origin))
        if cookie:
            lines.append(("cookie", f"{NAME}={cookie}"))
        stream = self.connection.get_next_available_stream_id()
        self.answers[stream] = Answer()
        self.connection.send_headers(stream, lines, end_stream=end)
        self._flush()
        return stream

    def send(self, stream, data, end=False):
        """Sends a part of a body as far as flow control and the peer allow. Returns whether all of it was sent."""
        while data:
            size = min(self._window(stream), self.connection.max_outbound_frame_size, len(data))
            if self.is_over(stream):
                return False
            if size == 0:
                self._read()
                continue
            self.connection.send_data(stream, data[:size])
            data = data[size:]
            self._flush()
        if end and not self.is_over(stream):
            self.connection.end_stream(stream)
            self._flush()
        return True

    def reset(self, stream):
        """Ends a stream as a browser does that has no more use for it."""
        self.connection.reset_stream(stream, 8)
        self._flush()

    def answer(self, stream):
        """Reads until the stream has ended, one way or the other."""
        while not self.is_over(stream):
            self._read()
        return self.answers[stream]

    def until(self, stream, mark):
        """Reads until the body of a stream contains `mark`."""
        while mark not in self.answers[stream].body:
            assert not self.is_over(stream), self.answers[stream]
            self._read()

    def ask(self, method, target, *fields, body=None, **options):
        stream = self.request(method, target, *fields, end=body is None, **options)
        if body is not None:
            self.send(stream, body, end=True)
        return self.answer(stream)

    def is_over(self, stream):
        answer = self.answers[stream]
        return self.closed or answer.ended or answer.reset is not None

    def _window(self, stream):
        try:
            return self.connection.local_flow_control_window(stream)
        except h2.exceptions.ProtocolError:
            return 0

    def _flush(self):
        data = self.connection.data_to_send()
        try:
            self.socket.sendall(data)
        except OSError:
            self.closed = True

    def _read(self):
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionError:
            data = b""
        if not data:
            self.closed = True
            return
        self.buffer += data
        while frame := self._frame():
            for event in self.connection.receive_data(frame):
                self._take(event)
        if self.acknowledges:
            self._flush()

    def _frame(self):
        """The next frame that has arrived as a whole; None without one."""
        size = 9 + int.from_bytes(self.buffer[:3], "big")
        if len(self.buffer) < size:
            return None
        frame, self.buffer = self.buffer[:size], self.buffer[size:]
        return frame

    def _take(self, event):
        answer = self.answers.get(getattr(event, "stream_id", None))
        match event:
            case h2.events.ResponseReceived():
                answer.headers = [(name, value) for name, value in event.headers if not name.startswith(":")]
                answer.status = int(dict(event.headers)[":status"])
            case h2.events.DataReceived():
                answer.body += event.data
                if event.flow_controlled_length:
                    self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case h2.events.StreamEnded():
                answer.ended = True
            case h2.events.StreamReset():
                answer.reset = answer.reset if answer.ended else event.error_code
            case h2.events.ConnectionTerminated():
                self.goaway = event.error_code
                # The library refuses every frame behind GOAWAY. A browser goes on with the streams that are open.
                self.connection.state_machine.state = h2.connection.ConnectionState.CLIENT_OPEN
