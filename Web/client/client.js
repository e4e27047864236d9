// The Cloakroom browser client: client.d.ts says what it offers, docs/client.md how it works.

// Taken before anything else in the page can replace them.
const { Promise, Request, Response, Headers, URL, BroadcastChannel, navigator, document } = globalThis;
const send = fetch.bind(globalThis);
const later = setTimeout.bind(globalThis);
const clock = performance.now.bind(performance);
const { call } = Function.prototype;
const method = (type, name) => call.bind(type.prototype[name]);
const copy = method(Request, "clone");
const copyAnswer = method(Response, "clone");
const readBody = method(Response, "json");
const headersOf = call.bind(Object.getOwnPropertyDescriptor(Request.prototype, "headers").get);
const has = method(Headers, "has");
const set = method(Headers, "set");
const write = JSON.stringify;

// The refusals after which nobody is logged in here.
const ENDED = ["session_missing", "session_expired", "session_revoked", "refresh_token_reused", "token_invalid"];

export class CloakroomError extends Error {
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
    return (await readBody(response)) ?? {};
  } catch {
    return {};
  }
};

// Hides the whole page, dialogs included, without moving anything in it.
const veil = (isOn) => {
  const { style } = document.documentElement;
  style.setProperty("opacity", isOn ? "0" : "", "important");
  style.setProperty("visibility", isOn ? "hidden" : "", "important");
};

export function createSession({ base = "" } = {}) {
  const { origin } = new URL(base || "/", location.href);
  const name = `cloakroom ${origin}`;
  const channel = BroadcastChannel && new BroadcastChannel(name);
  const listeners = new Set();
  let state = { authenticated: false };
  let expiresAt = 0;
  let accessToken; // with hybrid delivery only
  let logins = 0; // and logouts so far: what was asked before one is worth nothing after it
  let renewals = 0; // so far, those of other tabs included
  let renewal;

  const become = (next, token) => {
    const isOther = next.session?.id !== state.session?.id;
    if (isOther) [logins, accessToken, expiresAt] = [logins + 1, undefined, 0];
    if (token || next.delivery !== "hybrid") {
      const end = clock() + (next.session?.expires_in ?? 0) * 1000;
      // Whole seconds: the same token may seem to gain one.
      if (end > expiresAt + 1000) renewals++;
      [accessToken, expiresAt] = [token, end];
    }
    state = next;
    for (const listener of [...listeners]) {
      try {
        listener(state);
      } catch (error) {
        reportError(error);
      }
    }
    return state;
  };

  const take = ({ access_token, refresh_token, ...next }, tells = true) => {
    if (tells) channel?.postMessage(next);
    return become(next, access_token);
  };

  const forget = () => take({ authenticated: false });

  const request = async (verb, path, body) => {
    const response = await send(`${base}/auth/${path}`, {
      method: verb,
      credentials: "include",
      headers: body ? { "Content-Type": "application/json" } : {},
      body: body && write(body),
    });
    const answer = await readJSON(response);
    if (!response.ok) throw new CloakroomError(response.status, answer);
    return answer;
  };

  const ask = async (verb, path, tells) => {
    const began = logins;
    try {
      const answer = await request(verb, path);
      return began === logins ? take(answer, tells) : state;
    } catch (error) {
      if (began === logins && ENDED.includes(error.code)) forget();
      throw error;
    }
  };

  const look = (tells) => ask("GET", "session?passive=1", tells);

  // Waits while another tab renews, a second at most: it only saves a request, the server gives both the same answer.
  const turn = (held) =>
    new Promise((go) => {
      later(go, 1000);
      const enter = () => (go(), held);
      (async () => {
        try {
          await navigator.locks.request(name, enter);
        } catch {
          go();
        }
      })();
    });

  const renewAlone = async () => {
    const [before, held] = [renewals, accessToken];
    let leave;
    await turn(new Promise((resolve) => (leave = resolve)));
    try {
      // The other tab's renewal is ours too, unless the token is in its memory.
      if (renewals !== before && state.delivery === "cookie") return state;
      await ask("POST", "refresh");
      // A request that came late is given no token. By now the newer cookie is there.
      return state.delivery === "hybrid" && accessToken === held ? await ask("POST", "refresh") : state;
    } finally {
      leave();
      renewal = undefined;
    }
  };

  const renew = () => (renewal ??= renewAlone());

  const dispatch = (request) => {
    if (accessToken && !has(headersOf(request), "Authorization")) {
      set(headersOf(request), "Authorization", `Bearer ${accessToken}`);
    }
    return send(request);
  };

  const sessionFetch = async (input, init) => {
    const { url } = input ?? {};
    if (new URL(url ?? input, document.baseURI).origin !== origin) return send(input, init);
    const isElsewhere = origin !== location.origin && url === undefined;
    const first = new Request(input, isElsewhere ? { credentials: "include", ...init } : init);
    const again = copy(first);
    const [login, seen] = [logins, renewals];
    const response = await dispatch(first);
    if (response.status !== 401) return response;
    const { code } = await readJSON(copyAnswer(response));
    if (ENDED.includes(code) && login === logins && state.authenticated) forget();
    if (code !== "token_expired") return response;
    try {
      if (seen === renewals) await renew();
    } catch {
      return response;
    }
    return dispatch(again);
  };

  channel?.addEventListener("message", ({ data }) => {
    const isSame = data.session?.id === state.session?.id;
    // With hybrid delivery each tab has a token of its own.
    if (isSame && data.delivery === "hybrid") return;
    // Both may be old news, so the server is asked; but a logout counts at once.
    if (isSame || !data.authenticated) become(data);
    if (!isSame) look(false).catch(() => {});
  });

  // A page that the browser keeps is shown again to whoever presses "back" after a logout.
  addEventListener("pagehide", ({ persisted }) => persisted && state.authenticated && veil(true));
  addEventListener("pageshow", async ({ persisted }) => {
    if (!persisted) return;
    const shown = state.session?.id;
    await look().catch(() => (state = {}));
    if (state.session?.id === shown) veil(false);
    else location.reload();
  });

  return {
    login: async (fields) => take(await request("POST", "login", fields)),
    signup: async (fields) => take(await request("POST", "signup", fields)),
    stepUp: async (fields) => take(await request("POST", "step-up", fields)),
    logout: async () => {
      await request("POST", "logout");
      logins++;
      forget();
    },
    current: ({ passive } = {}) => (passive ? look() : ask("GET", "session")),
    renew,
    fetch: sessionFetch,
    secondsLeft: () => Math.max(0, Math.floor((expiresAt - clock()) / 1000)),
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
