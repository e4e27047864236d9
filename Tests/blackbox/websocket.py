"""WebSocket frames (RFC 6455), written and read one by one, for both ends of a connection."""
import base64
import hashlib
import os
import struct

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
HANDSHAKE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {KEY}")


def accept_value(key):
    return base64.b64encode(hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()


def frame(opcode, payload=b"", final=True, masked=False, reserved=0):
    first = (0x80 if final else 0) | reserved << 4 | opcode
    size = len(payload)
    mask_bit = 0x80 if masked else 0
    if size < 126:
        head = bytes([first, mask_bit | size])
    elif size < 65536:
        head = bytes([first, mask_bit | 126]) + struct.pack(">H", size)
    else:
        head = bytes([first, mask_bit | 127]) + struct.pack(">Q", size)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + apply(mask, payload)


def apply(mask, payload):
    whole = int.from_bytes((mask * (len(payload) // 4 + 1))[:len(payload)], "big") if payload else 0
    return (int.from_bytes(payload, "big") ^ whole).to_bytes(len(payload), "big")


def close_payload(code, reason=""):
    return struct.pack(">H", code) + reason.encode()


class Frame:
    def __init__(self, first, masked, payload):
        self.final = bool(first & 0x80)
        self.reserved = first >> 4 & 7
        self.opcode = first & 15
        self.masked = masked
        self.payload = payload

    @property
    def code(self):
        return struct.unpack(">H", self.payload[:2])[0] if self.payload else None

    @property
    def reason(self):
        return self.payload[2:].decode()

    def __repr__(self):
        return f"<frame {self.opcode} {'final' if self.final else 'more'} {self.payload[:60]!r}>"


def read(exactly):
    """Reads one frame. `exactly`: returns so many bytes, or raises."""
    first, second = exactly(2)
    size = second & 0x7F
    if size == 126:
        size = struct.unpack(">H", exactly(2))[0]
    elif size == 127:
        size = struct.unpack(">Q", exactly(8))[0]
    mask = exactly(4) if second & 0x80 else None
    payload = exactly(size)
    return Frame(first, bool(mask), apply(mask, payload) if mask else payload)


def accept(connection, request, *lines):
    """A backend's answer to a handshake."""
    head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept_value(request.value('sec-websocket-key'))}", *lines, "", ""]
    connection.send("\r\n".join(head).encode())
