// Why a request is refused, and the response that says so.
const unauthorized = (challenge) => [401, "Unauthorized", { "WWW-Authenticate": challenge }];
const invalidToken = unauthorized('Bearer error="invalid_token"');

const RESPONSES = {
  session_missing: unauthorized("Bearer"),
  token_invalid: invalidToken,
  token_expired: invalidToken,
  session_revoked: invalidToken,
  unavailable: [503, "Service Unavailable", { "Retry-After": "1" }],
};

export class RefusedRequest extends Error {
  constructor(code) {
    super(code);
    const [status, title, headers] = RESPONSES[code];
    Object.assign(this, { name: "RefusedRequest", code, status, title });
    this.headers = { "Content-Type": "application/problem+json", ...headers };
  }

  get wwwAuthenticate() {
    return this.headers["WWW-Authenticate"];
  }

  get body() {
    const { title, status, code } = this;
    return JSON.stringify({ type: "about:blank", title, status, code });
  }
}
