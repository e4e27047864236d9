#!/usr/bin/env python3
"""A notes app without login, sessions or tokens: Cloakroom is in front of it and says who the user is.

    python3 Examples/gateway/app.py     listens on http://127.0.0.1:3000; PORT=3001 changes the port
"""
import base64
import hashlib
import html
import os
import pathlib
import queue
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

notes = {}          # the notes of each user
listeners = {}      # for each user a queue for each open stream

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Notes</title>
<h1>Notes of {user}</h1>
<ul>{notes}</ul>
<form method="post" action="/notes"><input name="text" required><button>Add</button></form>
<form method="post" action="/auth/logout"><input type="hidden" name="return_to" value="/"><button>Log out</button></form>
"""

LIVE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>New notes</title>
<h1>New notes</h1><ul id="list"></ul><p id="state">Connected.</p>
<script type="module">
import { listen, openSocket } from "/live.js";
const show = (note) => list.append(Object.assign(document.createElement("li"), { textContent: note }));
const end = (reason) => { state.textContent = `Your session has ended (${reason}). Log in to go on.`; };
location.search === "?socket" ? openSocket("/socket", show, end) : listen("/events", show, end);
</script>
"""


class App(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        # Cloakroom removes this header from the browser's request and sets its own, so the app can trust it.
        user = self.headers.get("X-Auth-Subject")

        page = self.path.partition("?")[0]
        if page == "/events":
            self.send_events(user)
        elif page == "/socket":
            self.send_frames(user)
        elif page == "/live":
            self.send(200, "text/html; charset=utf-8", LIVE)
        elif page == "/live.js":
            self.send(200, "text/javascript", pathlib.Path(__file__).with_name("live.js").read_text())
        elif page == "/headers":
            self.send(200, "text/plain; charset=utf-8", f"{self.requestline}\n{self.headers}")
        else:
            items = "".join(f"<li>{html.escape(note)}</li>" for note in notes.get(user, []))
            self.send(200, "text/html; charset=utf-8", PAGE.format(user=user, notes=items))

    def do_POST(self):
        user = self.headers["X-Auth-Subject"]
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        note = urllib.parse.parse_qs(form)["text"][0]
        notes.setdefault(user, []).append(note)
        for listener in listeners.get(user, []):
            listener.put(note)
        self.send(303, "text/plain", "", Location="/")

    def send_events(self, user):
        """Answers with an event stream: each new note is an event."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.send_new_notes(user, lambda note: b"data: %s\n\n" % note.replace("\n", " ").encode())

    def send_frames(self, user):
        """Answers with a WebSocket (RFC 6455): each new note is a text frame."""
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        self.send_new_notes(user, lambda note: b"\x81%c%s" % (len(note.encode()[:125]), note.encode()[:125]))

    def send_new_notes(self, user, write):
        mine = queue.Queue()
        listeners.setdefault(user, []).append(mine)
        try:
            while True:
                self.wfile.write(write(mine.get()))
        except OSError:
            listeners[user].remove(mine)
        self.close_connection = True

    def send(self, status, media_type, text, **headers):
        body = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": media_type, "Content-Length": len(body), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True


if __name__ == "__main__":
    Server(("127.0.0.1", int(os.environ.get("PORT", "3000"))), App).serve_forever()
