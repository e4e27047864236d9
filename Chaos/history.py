"""The history of a run: one JSON object a line, written by several processes and read once, line by line.

Times are seconds of the machine's monotonic clock. Every process of the machine reads the same one.

kind `run`        the seed and the settings: `window`, `reissueDelay`, `accessTokenLifetime` in seconds, `instances`
kind `fault`      `name`, `phase` (`begin` or `end`), `at`
kind `copy`       a thief copies a cookie: `session`, `generation`, `client`, `at`
kind `operation`  one request, see below
kind `event`      a line of the server's record of security events: `event`, `session`

An operation has `op`, `client`, `role` (`honest`, `thief`, or `reader` of an ended session), `session` if known, `subject` if it
concerns all sessions of a user, `started` (the cookie jar was read), `sent` (null if nothing was sent), `ended`, `outcome`, and:

`held`, `given`   the refresh token that was presented and the one that came back: [generation, digest of its `jti`, digest
                  of its bytes]. Tokens themselves are never written.
`outcome`         `acknowledged`, `refused` with `code`, `unknown` (sent, and no answer of the server came), `unreachable`
`status`, `retryAfter`, `instance`, `via`    of the answer; `via` is `public` or `private`
`ends`            what it ends: {"sessions": [...]} or {"subject": ..., "except": ...}
`password`        the number of the password that was used, `newPassword` the one that was set
"""
import json
import os
import threading

BUFFER = 1 << 16


class Writer:
    """Appends records to a file. Several writers, also of several processes, may share one file: each appends whole lines."""

    def __init__(self, path):
        self.descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.lock = threading.Lock()
        self.lines = []
        self.size = 0

    def write(self, record):
        line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        with self.lock:
            self.lines.append(line)
            self.size += len(line)
            # A fault is read by people who follow the file, so it does not wait for the buffer to fill.
            if self.size > BUFFER or record["kind"] != "operation":
                self._flush()

    def flush(self):
        with self.lock:
            self._flush()

    def _flush(self):
        data = b"".join(self.lines)
        self.lines, self.size = [], 0
        while data:
            data = data[os.write(self.descriptor, data):]

    def close(self):
        self.flush()
        os.close(self.descriptor)


def read(path, kind=None):
    """The records in the order in which they were written. `kind` skips all others without parsing them."""
    mark = f'"kind":"{kind}"'.encode() if kind else b""
    with open(path, "rb") as lines:
        for line in lines:
            if mark in line:
                yield json.loads(line)
