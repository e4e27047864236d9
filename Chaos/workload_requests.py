"""The requests of browsers, of proxies that ask about browsers' requests, and of a backend with a service key."""
import json
import urllib.parse

NAME = "__Host-Http-session"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


class Requests:
    """Makes the bytes of each request. `origin` is that of the public URL, `key` the service key."""

    def __init__(self, origin, key):
        self.origin, self.key = origin, key
        self.host = urllib.parse.urlsplit(origin).netloc
        self.scheme = urllib.parse.urlsplit(origin).scheme
        self.page = f"Origin: {origin}\r\nSec-Fetch-Site: same-origin\r\nUser-Agent: {AGENT}\r\n"

    def _bytes(self, method, path, headers="", body=None):
        text = f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\n{headers}"
        if body is not None:
            body = json.dumps(body)
            text += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        else:
            text += "\r\n" if method == "GET" else "Content-Length: 0\r\n\r\n"
        return text.encode()

    def browser(self, method, path, held=None, body=None):
        cookie = f"Cookie: {NAME}={held.cookie}\r\n" if held else ""
        return self._bytes(method, path, self.page + cookie, body)

    def renew(self, held):
        return self.browser("POST", "/auth/refresh", held)

    def session(self, held):
        return self.browser("GET", "/auth/session", held)

    def listed(self, held):
        return self.browser("GET", "/auth/sessions", held)

    def logout(self, held):
        return self.browser("POST", "/auth/logout", held)

    def check(self, held):
        return self._check(f"Cookie: {NAME}={held.cookie}\r\n")

    def bearer(self, held):
        return self._check(f"Authorization: Bearer {held.access_token}\r\n")

    def _check(self, credential):
        asked = f"X-Forwarded-Method: GET\r\nX-Forwarded-Uri: /\r\nX-Forwarded-Proto: {self.scheme}\r\nX-Forwarded-Host: {self.host}\r\n"
        return self._bytes("GET", "/auth/check", asked + credential)

    def service(self, method, path, body=None):
        return self._bytes(method, "/service/" + path, f"Authorization: Bearer {self.key}\r\nUser-Agent: shop/1.0\r\n", body)

    def begin(self, subject, held=None):
        cookie = f"{NAME}={held.cookie}" if held else None
        browser = {"method": "POST", "host": self.host, "origin": self.origin, "sec_fetch_site": "same-origin",
                   "cookie": cookie, "user_agent": AGENT, "ip": "203.0.113.7"}
        return self.service("POST", "sessions", {
            "subject": subject, "authentication": {"amr": ["pwd"], "acr": "1"}, "browser": browser})
