// The Cloakroom browser client: docs/client.md

// Saved before other scripts can replace them.
const { Promise, Request, Response, Headers, URL, BroadcastChannel, navigator, document, location, fetch } = globalThis;
const send = fetch?.bind(globalThis);
const later = setTimeout.bind(globalThis);
const clock = performance.now.bind(performance);
const { call } = Function.prototype;
const method = (type, name) => call.bind(type?.prototype[name]);
const copy = method(Request, "clone");
const copyAnswer = method(Response, "clone");
const readBody = method(Response, "json");
const headersOf = fetch && call.bind(Object.getOwnPropertyDescriptor(Request.prototype, "headers").get);
const has = method(Headers, "has");
const set = method(Headers, "set");
const write = JSON.stringify;

export class CloakroomError extends Error {
  constructor(status, problem, retryAfter) {
    super(problem.title ?? `HTTP ${status}`);
    const { code = "unknown" } = problem;
    Object.assign(this, { name: "CloakroomError", status, code, problem, retryAfter: +retryAfter || undefined });
  }
}

const attempt = async (work) => {
  try {
    return await work();
  } catch {}
};

const readJSON = async (response) => (await attempt(() => readBody(response))) ?? {};

const pause = (time) => new Promise((go) => later(go, time));

const veil = (isOn) => {
  const { style } = document.documentElement;
  style.setProperty("opacity", isOn ? "0" : "", "important");
  style.setProperty("visibility", isOn ? "hidden" : "", "important");
};

// On a server that renders the page.
const inert = (origin) => {
  const nobody = async () => ({ authenticated: false });
  const refuse = async () => {
    throw new Error("Not in a browser: only fetch works, with an origin");
  };
  return {
    login: refuse,
    signup: refuse,
    stepUp: refuse,
    logout: refuse,
    current: nobody,
    renew: nobody,
    fetch: async (input, init) =>
      input[0] === "/" && !origin ? refuse() : fetch(input.url ? input : new URL(input, origin), init),
    secondsLeft: () => 0,
    onChange: () => () => {},
  };
};

export function createSession({ base = "", origin: page } = {}) {
  if (!document || !location || !fetch) return inert(page);
  const { origin } = new URL(base || "/", location.href);
  const name = `cloakroom ${origin}`;
  const channel = BroadcastChannel && new BroadcastChannel(name);
  const listeners = new Set();
  let state = { authenticated: false };
  let expiresAt = 0;
  let renewableAt = 0;
  let accessToken; // with hybrid delivery only
  let logins = 0; // and logouts: older responses are ignored
  let renewals = 0; // also of other tabs
  let renewal;
  let check;

  const end = ({ session }) => clock() + (session?.expires_in ?? 0) * 1000;

  const become = (next, token) => {
    const { id, renew_in } = next.session ?? {};
    if (id !== state.session?.id) [logins, accessToken, expiresAt, renewableAt] = [logins + 1, undefined, 0, 0];
    if (renew_in >= 0) renewableAt = clock() + renew_in * 1000;
    if (token || next.delivery !== "hybrid") {
      // An unchanged token may gain a second.
      if (end(next) > expiresAt + 1000) renewals++;
      [accessToken, expiresAt] = [token, end(next)];
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
      headers: body && { "Content-Type": "application/json" },
      body: body && write(body),
    });
    const answer = await readJSON(response);
    if (!response.ok) throw new CloakroomError(response.status, answer, response.headers.get("Retry-After"));
    return answer;
  };

  const post = (path) => async (fields) => {
    try {
      return take(await request("POST", path, fields));
    } catch (error) {
      if (error.status !== 503 || !(error.retryAfter <= 60)) throw error;
      await pause(error.retryAfter * 1000);
      return take(await request("POST", path, fields));
    }
  };

  const ask = async (verb, path, tells) => {
    const began = logins;
    try {
      const answer = await request(verb, path);
      return began === logins ? take(answer, tells) : state;
    } catch (error) {
      if (began === logins && error.status === 401) forget();
      throw error;
    }
  };

  const look = (tells) => ask("GET", "session?passive=1", tells);

  // Listeners may have sent the request.
  const checkAlone = async () => {
    const began = logins;
    const answer = await attempt(() => request("GET", "session?passive=1"));
    if (began === logins && answer?.authenticated === false) forget();
    check = undefined;
  };

  // Waits for other tabs.
  const turn = (held) =>
    new Promise(async (go) => {
      later(go, 1000);
      await attempt(() => navigator.locks.request(name, () => (go(), held)));
      go();
    });

  const renewAlone = async () => {
    const before = renewals;
    let leave;
    await turn(new Promise((resolve) => (leave = resolve)));
    try {
      // Tabs share the cookie, not a token in memory.
      if (state.delivery !== "hybrid" && (renewals !== before || clock() < renewableAt)) return state;
      await ask("POST", "refresh");
      const wait = renewableAt - clock();
      if (wait > 5000 || expiresAt > clock()) return state;
      // A newer cookie is in flight, or lost.
      await pause(wait);
      return await ask("POST", "refresh");
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
    const url = input?.url;
    if (new URL(url ?? input, document.baseURI).origin !== origin) return send(input, init);
    const first = new Request(input, !url && origin !== location.origin ? { credentials: "include", ...init } : init);
    const again = copy(first);
    const seen = renewals;
    const isOwn = has(headersOf(first), "Authorization");
    const response = await dispatch(first);
    if (response.status !== 401) return response;
    const { code, type } = await readJSON(copyAnswer(response));
    // The page's own bearer.
    if (isOwn && !/^urn:cloak/.test(type)) return response;
    if (code !== "token_expired") {
      if (state.authenticated) await (check ??= checkAlone());
      return response;
    }
    const isRenewed = await attempt(() => seen !== renewals || renew());
    return isRenewed ? dispatch(again) : response;
  };

  channel?.addEventListener("message", ({ data }) => {
    const isSame = data.session?.id === state.session?.id;
    // Messages may be late. Hybrid tokens are each tab's.
    if (isSame && (data.delivery === "hybrid" || end(data) < expiresAt - 1000)) return;
    // A login is checked.
    if (isSame || !data.authenticated) become(data);
    if (!isSame) attempt(() => look(false));
  });

  addEventListener("pagehide", ({ persisted }) => persisted && state.authenticated && veil(true));
  addEventListener("pageshow", async ({ persisted }) => {
    if (!persisted) return;
    const shown = state.session?.id;
    (await attempt(look)) ?? (state = {});
    if (state.session?.id === shown) veil(false);
    else location.reload();
  });

  return {
    login: post("login"),
    signup: post("signup"),
    stepUp: post("step-up"),
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
