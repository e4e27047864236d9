// The Cloakroom browser client. It holds no token: the cookie is the browser's, out of every script's reach.
// Types and documentation: client.d.ts.

// Taken before anything else in the page can replace them.
const { fetch, BroadcastChannel: Channel, Error: Base } = globalThis;
const send = fetch.bind(globalThis);
const clock = () => performance.now();

/** A "no" of the server: `code` is its stable name, `status` the HTTP status, `problem` the whole answer. */
export class CloakroomError extends Base {
  constructor(status, problem) {
    super(problem.title ?? `HTTP ${status}`);
    this.name = "CloakroomError";
    this.status = status;
    this.code = problem.code ?? "unknown";
    this.problem = problem;
  }
}

const readJSON = async (response) => {
  try {
    return await response.json();
  } catch {
    return {};
  }
};

export function createSession({ base = "" } = {}) {
  const origin = new URL(base || "/", location.href).origin;
  const listeners = new Set();
  const channel = Channel ? new Channel(`cloakroom ${origin}`) : undefined;
  let state = { authenticated: false };
  let expiresAt = 0;
  let accessToken; // hybrid delivery only: in this closure, for as long as the page lives
  let renewal;

  const take = (answer, tell = true) => {
    if (answer.access_token) accessToken = answer.access_token;
    if (!answer.authenticated) accessToken = undefined;
    const { access_token, refresh_token, ...rest } = answer;
    state = rest;
    expiresAt = clock() + (rest.session?.expires_in ?? 0) * 1000;
    if (tell) channel?.postMessage(rest.authenticated ? "changed" : "ended");
    for (const listener of listeners) listener(state);
    return state;
  };

  const call = async (method, path, body) => {
    const response = await send(`${base}/auth/${path}`, {
      method,
      credentials: "include",
      headers: body ? { "Content-Type": "application/json" } : {},
      body: body && JSON.stringify(body),
    });
    const answer = response.status === 204 ? {} : await readJSON(response);
    if (!response.ok) throw new CloakroomError(response.status, answer);
    return answer;
  };

  const current = async (options = {}) =>
    take(await call("GET", options.passive ? "session?passive=1" : "session"), options.tell);

  // One renewal at a time in this page. Tabs need no lock: the server gives each of them the same answer.
  const renew = () =>
    (renewal ??= call("POST", "refresh")
      .then((answer) => take(answer))
      .finally(() => (renewal = undefined)));

  const isOurs = (request) => new URL(request.url).origin === origin;

  const withToken = (request) => {
    if (accessToken) request.headers.set("Authorization", `Bearer ${accessToken}`);
    return send(request);
  };

  const isExpired = async (response) =>
    response.status === 401 && (await readJSON(response.clone())).code === "token_expired";

  const sessionFetch = async (input, init) => {
    const request = new Request(input, init);
    if (!isOurs(request)) return send(input, init);
    const again = request.clone();
    const response = await withToken(request);
    if (!(await isExpired(response))) return response;
    try {
      await renew();
    } catch {
      return response;
    }
    return withToken(again);
  };

  channel?.addEventListener("message", ({ data }) => {
    if (data === "ended") take({ authenticated: false }, false);
    else current({ passive: true, tell: false }).catch(() => {});
  });

  // A page that the browser kept alive in the background may show somebody who has logged out since.
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) current({ passive: true, tell: false }).catch(() => take({ authenticated: false }, false));
  });

  return {
    login: async (fields) => take(await call("POST", "login", fields)),
    signup: async (fields) => take(await call("POST", "signup", fields)),
    stepUp: async (fields) => take(await call("POST", "step-up", fields)),
    logout: async () => {
      await call("POST", "logout");
      take({ authenticated: false });
    },
    current,
    renew,
    fetch: sessionFetch,
    secondsLeft: () => Math.max(0, Math.floor((expiresAt - clock()) / 1000)),
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
