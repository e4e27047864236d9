"""Why a request is refused, and the response that says so."""
import json

_RESPONSES = {
    "session_missing": (401, "Unauthorized", ("WWW-Authenticate", "Bearer")),
    "token_invalid": (401, "Unauthorized", ("WWW-Authenticate", 'Bearer error="invalid_token"')),
    "token_expired": (401, "Unauthorized", ("WWW-Authenticate", 'Bearer error="invalid_token"')),
    "session_revoked": (401, "Unauthorized", ("WWW-Authenticate", 'Bearer error="invalid_token"')),
    "unavailable": (503, "Service Unavailable", ("Retry-After", "1")),
}


class RefusedRequest(Exception):
    """A request that must not pass.

    `code` is one of `session_missing`, `token_invalid`, `token_expired`, `session_revoked` and `unavailable`, as in Cloakroom's own
    responses. `status`, `title`, `headers` and `body` are the response.
    """

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code
        self.status, self.title, header = _RESPONSES[code]
        self.headers: dict[str, str] = {"Content-Type": "application/problem+json", header[0]: header[1]}

    @property
    def www_authenticate(self) -> str | None:
        """The value of `WWW-Authenticate`; None for `unavailable`, which is 503."""
        return self.headers.get("WWW-Authenticate")

    @property
    def body(self) -> bytes:
        """The problem, as RFC 9457 JSON."""
        problem = {"type": "about:blank", "title": self.title, "status": self.status, "code": self.code}
        return json.dumps(problem).encode()
