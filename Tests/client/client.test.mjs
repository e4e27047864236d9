// The browser client with a simulated page and server.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

const source = await readFile(new URL("../../Web/client/client.js", import.meta.url), "utf8");
const directory = await mkdtemp(join(tmpdir(), "cloakroom-client-"));
let copies = 0;
let requests;
let answer;
let channels;
let styles;
let reported;
let reloads;

/** Web Locks, for one name only. */
class Locks {
  constructor() {
    this.tail = Promise.resolve();
  }
  request(_, work) {
    const turn = this.tail.then(work);
    this.tail = turn.catch(() => {});
    return turn;
  }
}

class Channel {
  constructor(name) {
    this.name = name;
    this.listeners = [];
    channels.push(this);
  }
  addEventListener(_, listener) {
    this.listeners.push(listener);
  }
  postMessage(message) {
    const data = structuredClone(message);
    for (const other of channels) {
      if (other !== this && other.name === this.name) for (const listener of other.listeners) listener({ data });
    }
  }
}

const json = (body, status = 200) => new Response(JSON.stringify(body), { status });
const expired = () => json({ code: "token_expired", title: "expired" }, 401);
const live = (seconds = 300) => json({ authenticated: true, user: { id: "u" }, session: { id: "s", expires_in: seconds } });

const pause = (milliseconds = 5) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits until the condition is true. The limit is long, so that a slow machine does not fail the test. */
const until = async (condition) => {
  const end = performance.now() + 20_000;
  while (!condition()) {
    assert.ok(performance.now() < end, `waited in vain: ${condition}`);
    await pause();
  }
};

const named = (id) => ({ authenticated: true, user: { id: "u" }, session: { id, expires_in: 300 }, delivery: "cookie" });

/** Loads a new copy of the client in a new page. */
const load = async (options) => {
  const path = join(directory, `client${copies++}.mjs`);
  await writeFile(path, source);
  return (await import(path)).createSession(options);
};

beforeEach(() => {
  requests = [];
  channels = [];
  styles = {};
  reported = [];
  reloads = 0;
  Object.defineProperty(globalThis, "navigator", { value: { locks: new Locks() }, configurable: true });
  answer = () => live();
  const handlers = {};
  Object.assign(globalThis, {
    location: { href: "https://app.example/page", origin: "https://app.example", reload: () => reloads++ },
    document: { baseURI: "https://app.example/page", documentElement: { style: { setProperty: (name, value) => (styles[name] = value) } } },
    reportError: (error) => reported.push(error),
    BroadcastChannel: Channel,
    addEventListener: (name, handler) => (handlers[name] = handler),
    page: handlers,
    fetch: async (input, init) => {
      const request = new Request(new URL(input.url ?? input, location.href), input.url ? input : init);
      requests.push(request);
      return answer(request);
    },
  });
  // Node has no page, so relative addresses need a base.
  globalThis.Request = function (input, init) {
    return new RealRequest(typeof input === "string" ? new URL(input, location.href) : input, init);
  };
  globalThis.Request.prototype = RealRequest.prototype;
});
const RealRequest = globalThis.Request;

const paths = () => requests.map((request) => `${request.method} ${new URL(request.url).pathname}`);

test("the declarations match the code, and the documents' examples compile with them", async () => {
  const options = ["--noEmit", "--strict", "--target", "es2022", "--module", "es2022", "--moduleResolution", "node", "--skipLibCheck"];
  const folder = new URL("../../Web/client/", import.meta.url);
  const types = fileURLToPath(new URL("types.ts", import.meta.url));
  const compile = (...more) =>
    promisify(execFile)("tsc", [...options, ...more]).catch(({ stdout }) => assert.fail(stdout));
  await compile(types);
  // Without declarations beside it, the compiler infers the types from the code.
  await writeFile(join(directory, "implementation.js"), source);
  await writeFile(join(directory, "declared.d.ts"), await readFile(new URL("client.d.ts", folder)));
  await writeFile(join(directory, "compare.ts"), `
    import * as implementation from "./implementation.js";
    import * as declared from "./declared.js";
    type Members<T> = { [K in keyof T]: 0 };
    const session: Members<ReturnType<typeof implementation.createSession>> = {} as Members<declared.Session>;
    const back: Members<declared.Session> = {} as Members<ReturnType<typeof implementation.createSession>>;
    const all: Members<typeof implementation> = {} as Members<typeof declared>;
  `);
  await compile("--allowJs", join(directory, "compare.ts"));
});

test("every file that the package names exists", async () => {
  const folder = new URL("../../Web/client/", import.meta.url);
  const manifest = JSON.parse(await readFile(new URL("package.json", folder)));
  const files = Object.values(manifest.exports).flatMap(({ types, default: code }) => [types, code]);
  for (const file of [...files, ...manifest.files]) assert.ok(existsSync(new URL(file, folder)), file);
  for (const file of files) assert.ok(manifest.files.some((name) => file.startsWith(`./${name}`)), file);
});

test("the client has under three kilobytes, gzipped", () => {
  assert.ok(gzipSync(source, { level: 9 }).length < 3000);
});

test("a login is posted as JSON and informs all listeners", async () => {
  const session = await load();
  const seen = [];
  const stop = session.onChange((state) => seen.push(state.authenticated));
  const state = await session.login({ email: "a@example.com", password: "p" });
  assert.equal(state.user.id, "u");
  assert.deepEqual(await requests[0].json(), { email: "a@example.com", password: "p" });
  assert.equal(requests[0].headers.get("content-type"), "application/json");
  stop();
  await session.current();
  assert.deepEqual(seen, [true]);
});

test("a refusal is an error with its code and status", async () => {
  const session = await load();
  answer = () => json({ code: "invalid_credentials", title: "The credentials are wrong." }, 401);
  await assert.rejects(session.login({}), { name: "CloakroomError", code: "invalid_credentials", status: 401 });
  answer = () => new Response("<html>", { status: 502 });
  await assert.rejects(session.current(), { code: "unknown", status: 502 });
});

test("twenty calls with an expired token share one renewal, and each is sent once more", async () => {
  const session = await load();
  let isRenewed = false;
  answer = async (request) => {
    if (request.url.endsWith("/auth/refresh")) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      isRenewed = true;
      return live();
    }
    return isRenewed ? json({ ok: await request.text() }) : expired();
  };
  const calls = Array.from({ length: 20 }, (_, index) => session.fetch("/api", { method: "POST", body: `body ${index}` }));
  const bodies = await Promise.all((await Promise.all(calls)).map((response) => response.json()));
  assert.deepEqual(bodies.map((body) => body.ok), Array.from({ length: 20 }, (_, index) => `body ${index}`));
  assert.equal(paths().filter((path) => path === "POST /auth/refresh").length, 1);
  assert.equal(requests.length, 41);
});

test("it never loops: the response to a call that is refused again is returned", async () => {
  const session = await load();
  answer = (request) => (request.url.endsWith("/auth/refresh") ? live() : expired());
  assert.equal((await session.fetch("/api")).status, 401);
  assert.deepEqual(paths(), ["GET /api", "POST /auth/refresh", "GET /api"]);
});

test("after a failed renewal the first response is returned, with an unread body", async () => {
  const session = await load();
  answer = (request) => (request.url.endsWith("/auth/refresh") ? json({ code: "session_revoked" }, 401) : expired());
  const response = await session.fetch("/api");
  assert.equal((await response.json()).code, "token_expired");
});

test("other refusals cause no renewal", async () => {
  const session = await load();
  answer = () => json({ code: "insufficient_user_authentication" }, 401);
  await session.fetch("/api");
  assert.deepEqual(paths(), ["GET /api"]);
});

const served = (fields) => json({ ...named("s1"), session: { id: "s1", expires_in: 0, rotated: false, ...fields } });

test("after a renewal that was only served, the next one waits until the server can return a newer cookie", async () => {
  const session = await load();
  answer = ({ url }) => (url.endsWith("/refresh") ? served({ renew_in: 20 }) : expired());
  for (let call = 0; call < 3; call++) assert.equal((await session.fetch("/api")).status, 401);
  assert.equal((await session.renew()).session.renew_in, 20);
  assert.deepEqual(paths(), ["GET /api", "POST /auth/refresh", ...Array(5).fill("GET /api")]);
});

test("the wait belongs to a session: after another login a renewal is sent at once", async () => {
  const session = await load();
  answer = () => served({ renew_in: 20 });
  await session.renew();
  answer = () => json(named("s2"));
  await session.login({});
  await session.renew();
  assert.equal(paths().at(-1), "POST /auth/refresh");
});

test("tabs share the wait, because they share the cookie", async () => {
  const [one, other] = [await load(), await load()];
  answer = () => served({ expires_in: 100 });
  await Promise.all([one.current(), other.current()]);
  requests.length = 0;
  answer = () => served({ expires_in: 100, renew_in: 20 });
  await one.renew();
  await other.renew();
  assert.deepEqual(paths(), ["POST /auth/refresh"]);
});

test("a renewal whose response was lost is sent again when the server returns the cookie again", async () => {
  const session = await load();
  let asked = 0;
  const began = performance.now();
  answer = ({ url }) => {
    if (url.endsWith("/refresh")) return asked++ ? live() : served({ renew_in: 1 });
    return asked === 2 ? json({}) : expired();
  };
  const calls = await Promise.all([session.fetch("/api"), session.fetch("/api")]);
  assert.deepEqual(calls.map(({ status }) => status), [200, 200]);
  assert.equal(asked, 2);
  assert.ok(performance.now() - began > 950);
});

test("a late message of another tab does not shorten the remaining lifetime", async () => {
  const [one, other] = [await load(), await load()];
  answer = () => json(named("s1"));
  await Promise.all([one.current(), other.current()]);
  answer = () => served({ renew_in: 20 });
  await one.renew();
  assert.equal(one.secondsLeft(), 0);
  assert.ok(other.secondsLeft() >= 299);
});

test("requests to other origins are not changed", async () => {
  const session = await load();
  answer = () => expired();
  await session.fetch("https://elsewhere.example/api");
  assert.equal(requests.length, 1);
  assert.equal(requests[0].headers.get("authorization"), null);
});

test("a hybrid access token goes to our origin only, and is in no state that listeners receive", async () => {
  const session = await load();
  answer = () => json({ authenticated: true, session: { expires_in: 9 }, delivery: "hybrid", access_token: "secret" });
  const state = await session.login({});
  assert.ok(!JSON.stringify(state).includes("secret"));
  await session.fetch("/api");
  await session.fetch("https://elsewhere.example/api");
  assert.deepEqual(requests.slice(1).map((request) => request.headers.get("authorization")), ["Bearer secret", null]);
  answer = () => new Response(null, { status: 204 });
  await session.logout();
  await session.fetch("/api");
  assert.equal(requests.at(-1).headers.get("authorization"), null);
});

test("time is measured by a monotonic clock", async () => {
  const session = await load();
  await session.current();
  const real = Date.now;
  Date.now = () => real() + 86_400_000;
  assert.ok(session.secondsLeft() >= 299);
  Date.now = real;
  answer = () => json({ authenticated: false });
  await session.current();
  assert.equal(session.secondsLeft(), 0);
});

test("tabs share logins and logouts", async () => {
  const [one, other] = [await load(), await load()];
  const states = [];
  other.onChange((state) => states.push(state.authenticated));
  await one.login({});
  await until(() => states.length === 1);
  answer = ({ method }) => (method === "GET" ? json({ authenticated: false }) : new Response(null, { status: 204 }));
  await one.logout();
  await until(() => states.length === 3);
  assert.deepEqual(states, [true, false, false]);
});

test("after a message about a login the client asks the server, because the message may be old", async () => {
  const [one, other] = [await load(), await load()];
  const states = [];
  other.onChange((state) => states.push(state.authenticated));
  answer = ({ method }) => json(method === "GET" ? { authenticated: false } : named("s1"));
  await one.login({});
  await until(() => states.length === 1);
  assert.deepEqual([states, other.secondsLeft()], [[false], 0]);
});

test("tabs share renewals, and a tab that waited for another sends none", async () => {
  const [one, other] = [await load(), await load()];
  answer = () => json({ ...named("s1"), session: { id: "s1", expires_in: 0 } });
  await Promise.all([one.current(), other.current()]);
  requests.length = 0;
  answer = async () => (await pause(), json(named("s1")));
  await Promise.all([one.renew(), other.renew()]);
  assert.deepEqual(paths(), ["POST /auth/refresh"]);
  assert.ok(other.secondsLeft() >= 299);
});

test("a lock that another tab never releases costs a second", async () => {
  const session = await load();
  navigator.locks.request("", () => new Promise(() => {}));
  const began = performance.now();
  assert.equal((await session.renew()).authenticated, true);
  assert.ok(performance.now() - began > 950);
});

test("a browser without Web Locks and BroadcastChannel renews too", async () => {
  Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
  globalThis.BroadcastChannel = undefined;
  assert.equal((await (await load()).renew()).authenticated, true);
});

test("a call that was in flight during a renewal is sent again without another renewal", async () => {
  const session = await load();
  let isRenewed = false;
  answer = async ({ url }) => {
    if (url.endsWith("/refresh")) return (isRenewed = true), live();
    if (url.endsWith("/slow")) {
      const response = isRenewed ? json({}) : expired();
      await until(() => paths().filter((path) => path === "GET /fast").length === 2);
      return response;
    }
    return isRenewed ? json({}) : expired();
  };
  const [slow, fast] = await Promise.all([session.fetch("/slow"), session.fetch("/fast")]);
  assert.deepEqual([slow.status, fast.status], [200, 200]);
  assert.equal(paths().filter((path) => path === "POST /auth/refresh").length, 1);
});

test("a response to a request from before a login or logout is ignored after it", async () => {
  const session = await load();
  let isOut = false;
  answer = async ({ url, method }) => {
    if (url.endsWith("/logout")) return new Response(null, { status: 204 });
    if (method === "GET") await until(() => isOut);
    return json(named("s1"));
  };
  const late = session.current();
  await session.logout();
  isOut = true;
  assert.equal((await late).authenticated, false);
});

// 401 responses of Cloakroom, of a backend, of a proxy.
const REFUSALS = {
  "session_revoked": () => json({ code: "session_revoked" }, 401),
  "token_invalid": () => json({ code: "token_invalid" }, 401),
  "a code of a backend's own": () => json({ code: "UNAUTHENTICATED" }, 401),
  "JSON that is no object": () => json(null, 401),
  "a page of HTML": () => new Response("<html><h1>401 Authorization Required</h1></html>", { status: 401 }),
  "nothing": () => new Response(null, { status: 401 }),
};

for (const [name, refusal] of Object.entries(REFUSALS)) {
  const refused = async (then) => {
    answer = () => live();
    const session = await load();
    await session.current();
    const states = [];
    session.onChange((state) => states.push(state.authenticated));
    answer = ({ url }) => (url.includes("/auth/session") ? then() : refusal());
    assert.equal((await session.fetch("/api")).status, 401);
    return states;
  };

  test(`a session that was ended elsewhere is ended here: 401 with ${name}`, async () => {
    assert.deepEqual(await refused(() => json({ authenticated: false })), [false]);
    assert.ok(requests.at(-1).url.endsWith("/auth/session?passive=1"));
  });

  test(`and one that lives, or cannot be asked about, is left as it is: 401 with ${name}`, async () => {
    assert.deepEqual(await refused(live), []);
    assert.deepEqual(await refused(() => new Response("<html>", { status: 502 })), []);
    assert.deepEqual(await refused(() => Promise.reject(new TypeError("offline"))), []);
  });
}

test("many refused calls share one request for the session", async () => {
  const session = await load();
  await session.current();
  requests.length = 0;
  answer = async ({ url }) => {
    if (!url.includes("/auth/session")) return new Response("<html>", { status: 401 });
    await pause(20);
    return json({ authenticated: false });
  };
  await Promise.all(Array.from({ length: 20 }, () => session.fetch("/api")));
  assert.equal(paths().filter((path) => path === "GET /auth/session").length, 1);
  await session.fetch("/api");
  assert.equal(requests.length, 22, "of whom is not logged in nothing is asked");
});

test("each later refusal causes a new request", async () => {
  const session = await load();
  const answers = [live(), live(), json({ authenticated: false })];
  answer = ({ url }) => (url.includes("/auth/session") ? answers.shift() : new Response("<html>", { status: 401 }));
  await session.current();
  const states = [];
  session.onChange((state) => states.push(state.authenticated));
  await session.fetch("/api");
  assert.deepEqual(states, []);
  await session.fetch("/api");
  assert.deepEqual(states, [false]);
});

test("a refused renewal ends the session in the client", async () => {
  const session = await load();
  await session.current();
  const states = [];
  session.onChange((state) => states.push(state.authenticated));
  answer = () => json({ code: "session_revoked" }, 401);
  await assert.rejects(session.renew(), { code: "session_revoked" });
  assert.deepEqual(states, [false]);
});

const busy = (seconds) => new Response(JSON.stringify({ code: "unavailable" }), { status: 503, headers: { "Retry-After": seconds } });

test("a postponed step-up is sent again once, after Retry-After", async () => {
  const session = await load();
  const answers = [busy("1"), live()];
  answer = () => answers.shift();
  const began = performance.now();
  assert.equal((await session.stepUp({ password: "p" })).authenticated, true);
  assert.ok(performance.now() - began > 950);
  assert.deepEqual(paths(), ["POST /auth/step-up", "POST /auth/step-up"]);
  assert.deepEqual(await requests[1].json(), { password: "p" });
});

test("a step-up that must wait for over a minute, or again, is an error with the time to wait", async () => {
  const session = await load();
  answer = () => busy("90");
  await assert.rejects(session.stepUp({}), { status: 503, code: "unavailable", retryAfter: 90 });
  assert.equal(requests.length, 1);
  answer = () => busy("1");
  await assert.rejects(session.stepUp({}), { retryAfter: 1 });
  assert.equal(requests.length, 3);
  for (const unknown of ["", "Fri, 31 Dec 1999 23:59:59 GMT"]) {
    answer = () => busy(unknown);
    await assert.rejects(session.stepUp({}), { retryAfter: undefined });
  }
});

test("streams, forms and requests are sent again completely, and an abort stays an abort", async () => {
  const session = await load();
  const form = new FormData();
  form.set("name", "value");
  const stream = new Blob(["a stream"]).stream();
  const bodies = [[form, "value"], [stream, "a stream"], [new Uint8Array([104, 105]), "hi"]];
  for (const [body, expected] of bodies) {
    let isRenewed = false;
    answer = async (request) => {
      if (request.url.endsWith("/refresh")) return (isRenewed = true), live();
      const text = await request.text();
      return isRenewed ? new Response(text) : expired();
    };
    const response = await session.fetch("/api", { method: "POST", body, duplex: "half" });
    assert.ok((await response.text()).includes(expected));
  }
  answer = (request) => (request.signal.throwIfAborted(), live());
  const request = new Request("/api", { method: "POST", body: "b", signal: AbortSignal.abort() });
  await assert.rejects(session.fetch(request), { name: "AbortError" });
});

test("a request to another origin is passed to fetch unchanged", async () => {
  const session = await load();
  const request = new Request("https://elsewhere.example/", { method: "POST", body: "whole" });
  answer = async (sent) => new Response(await sent.text());
  assert.equal(await (await session.fetch(request)).text(), "whole");
});

test("a front end on another host sends its cookie, unless told otherwise", async () => {
  const session = await load({ base: "https://auth.example" });
  await session.fetch("https://auth.example/api");
  await session.fetch("https://auth.example/api", { credentials: "omit" });
  assert.deepEqual(requests.map((request) => request.credentials), ["include", "omit"]);
});

test("hybrid: a renewal that was only served returns an access token, and the next one is sent too", async () => {
  const session = await load();
  const hybrid = (access_token) => json({
    ...named("s1"), delivery: "hybrid", access_token, session: { id: "s1", expires_in: 300, rotated: false, renew_in: 20 },
  });
  for (const token of ["first", "second"]) {
    answer = () => hybrid(token);
    await session.renew();
    await session.fetch("/api");
    assert.equal(requests.at(-1).headers.get("authorization"), `Bearer ${token}`);
  }
});

test("hybrid: each tab keeps its own token, and the page's own Authorization header is kept", async () => {
  const [one, other] = [await load(), await load()];
  const hybrid = { ...named("s1"), delivery: "hybrid" };
  answer = () => json({ ...hybrid, access_token: "of one" });
  await one.login({});
  await until(() => paths().at(-1) === "GET /auth/session");
  answer = () => json({ ...hybrid, access_token: "of other" });
  await other.renew();
  await one.fetch("/api");
  assert.equal(requests.at(-1).headers.get("authorization"), "Bearer of one");
  await one.fetch("/api", { headers: { Authorization: "Basic x" } });
  assert.equal(requests.at(-1).headers.get("authorization"), "Basic x");
});

const problem = (code) => json({ type: `urn:cloakroom:problem:${code}`, code }, 401);
const bearers = () => requests.filter(({ url }) => url.endsWith("/api")).map(({ headers }) => headers.get("authorization"));

for (const delivery of ["cookie", "hybrid"]) {
  const own = { headers: { Authorization: "Bearer of the app" } };

  test(`${delivery}: the page's own bearer is sent as it is, and its refusal is not taken for one of the session`, async () => {
    const session = await load();
    answer = () => json({ ...named("s1"), delivery, access_token: delivery === "hybrid" ? "ours" : undefined });
    await session.login({});
    requests.length = 0;
    for (const refusal of [expired, () => json({ code: "session_revoked" }, 401), () => new Response("<html>", { status: 401 })]) {
      answer = refusal;
      for (const call of [["/api", own], [new Request("/api", own)]]) assert.equal((await session.fetch(...call)).status, 401);
    }
    assert.deepEqual([requests.length, ...new Set(bearers())], [6, "Bearer of the app"]);
  });

  test(`${delivery}: beside the page's own bearer, Cloakroom's own refusals renew and end the session`, async () => {
    const session = await load();
    answer = () => json({ ...named("s1"), delivery });
    await session.login({});
    requests.length = 0;
    let isRenewed = false;
    answer = ({ url }) => {
      if (url.endsWith("/refresh")) return (isRenewed = true), json({ ...named("s1"), delivery, access_token: "ours" });
      return isRenewed ? json({}) : problem("token_expired");
    };
    assert.equal((await session.fetch("/api", own)).status, 200);
    assert.deepEqual(bearers(), ["Bearer of the app", "Bearer of the app"]);
    answer = ({ url }) => (url.includes("/auth/session") ? json({ authenticated: false }) : problem("session_revoked"));
    const states = [];
    session.onChange((state) => states.push(state.authenticated));
    await session.fetch("/api", own);
    assert.deepEqual(states, [false]);
  });
}

test("a listener that throws does not prevent the others from being called", async () => {
  const session = await load();
  const heard = [];
  session.onChange(() => { throw new Error("mine"); });
  session.onChange(() => heard.push(1));
  await session.current();
  assert.deepEqual([heard, reported.length], [[1], 1]);
});

test("a page from the back-forward cache is hidden until the server has confirmed its session", async () => {
  const session = await load();
  answer = () => json(named("s1"));
  await session.current();
  page.pagehide({ persisted: true });
  assert.equal(styles.visibility, "hidden");
  page.pageshow({ persisted: true });
  assert.equal(styles.visibility, "hidden");
  await until(() => styles.visibility === "");
  assert.deepEqual([styles.visibility, styles.opacity, reloads], ["", "", 0]);
});

test("a hidden page is reloaded if its session has ended, is another user's, or cannot be checked", async () => {
  const answers = [() => json({ authenticated: false }), () => json(named("s2")), () => Promise.reject(new TypeError("offline"))];
  for (const then of answers) {
    const session = await load();
    answer = () => json(named("s1"));
    await session.current();
    page.pagehide({ persisted: true });
    answer = then;
    reloads = 0;
    page.pageshow({ persisted: true });
    await until(() => reloads);
    assert.deepEqual([styles.visibility, reloads], ["hidden", 1]);
  }
});

/** Runs a script in a process of its own, where the page of these tests does not exist, and returns what it prints as JSON. */
const run = async (before, script) => {
  const client = new URL("../../Web/client/client.js", import.meta.url).href;
  const code = `${before}
    const { createSession, CloakroomError } = await import(${JSON.stringify(client)});
    const refusal = (call) => call.then(() => "nothing", ({ message }) => message);
    ${script}`;
  const options = { timeout: 20_000 };
  return JSON.parse((await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", code], options)).stdout);
};

const nobody = { authenticated: false };
const CALLS = `const session = createSession({ base: "https://auth.example.com" });
  const stop = session.onChange(() => { throw new Error("told"); });
  const refused = [];
  for (const name of ["login", "signup", "stepUp", "logout"]) refused.push(await refusal(session[name]({})));
  console.log(JSON.stringify([await session.current(), await session.current({ passive: true }), await session.renew(),
    session.secondsLeft(), typeof CloakroomError, ...new Set(refused)]));
  stop();`;

// A server, libraries that imitate a part of a browser, and test runners without fetch.
const PLACES = {
  "a server": `if (globalThis.document || globalThis.location) throw new Error("no server");`,
  "a document without a location": "globalThis.document = {};",
  "a location without a document": "globalThis.location = new URL('https://app.example/');",
  "a page without fetch": `globalThis.document = {}; globalThis.location = new URL("https://app.example/");
    for (const name of ["fetch", "Request", "Response", "Headers"]) delete globalThis[name];`,
  "Node without fetch": `for (const name of ["fetch", "Request", "Response", "Headers"]) delete globalThis[name];`,
};

for (const [place, before] of Object.entries(PLACES)) {
  test(`a session does nothing, says so, and keeps no process alive: ${place}`, async () => {
    const message = "Not in a browser: only fetch works, with an origin";
    assert.deepEqual(await run(before, CALLS), [nobody, nobody, nobody, 0, "function", message]);
  });
}

test("on a server fetch is the server's own, and takes relative addresses from the origin that it is given", async () => {
  const before = "globalThis.fetch = async (input, init) => [input.url ?? String(input), init];";
  const results = await run(before, `
    const [plain, placed] = [createSession(), createSession({ origin: "http://127.0.0.1:3000" })];
    const init = { method: "PUT" };
    console.log(JSON.stringify([
      await placed.fetch("/api", init), await placed.fetch("https://api.example/x"), await placed.fetch(new URL("https://api.example/y")),
      await placed.fetch(new Request("https://api.example/z")), await plain.fetch("https://api.example/x"), await refusal(plain.fetch("/api"))]));`);
  assert.deepEqual(results, [
    ["http://127.0.0.1:3000/api", { method: "PUT" }], ["https://api.example/x", null], ["https://api.example/y", null],
    ["https://api.example/z", null], ["https://api.example/x", null], "Not in a browser: only fetch works, with an origin",
  ]);
});

test("functions that are replaced after it was loaded do not affect it", async () => {
  const session = await load();
  let stolen = 0;
  globalThis.fetch = () => stolen++;
  await session.login({ password: "p" });
  assert.equal(stolen, 0);
});
