// The browser client, against a server that the test plays.
import assert from "node:assert/strict";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, test } from "node:test";
import { gzipSync } from "node:zlib";

const source = await readFile(new URL("../../Sources/CloakroomEndpoints/Resources/client.js", import.meta.url), "utf8");
const directory = await mkdtemp(join(tmpdir(), "cloakroom-client-"));
let copies = 0;
let requests;
let answer;
let channels;

class Channel {
  constructor(name) {
    this.name = name;
    this.listeners = [];
    channels.push(this);
  }
  addEventListener(_, listener) {
    this.listeners.push(listener);
  }
  postMessage(data) {
    for (const other of channels) {
      if (other !== this && other.name === this.name) for (const listener of other.listeners) listener({ data });
    }
  }
}

const json = (body, status = 200) => new Response(JSON.stringify(body), { status });
const expired = () => json({ code: "token_expired", title: "expired" }, 401);
const live = (seconds = 300) => json({ authenticated: true, user: { id: "u" }, session: { id: "s", expires_in: seconds } });

/** A fresh copy of the client in a fresh page. */
const load = async (options) => {
  const path = join(directory, `client${copies++}.mjs`);
  await writeFile(path, source);
  return (await import(path)).createSession(options);
};

beforeEach(() => {
  requests = [];
  channels = [];
  answer = () => live();
  const handlers = {};
  Object.assign(globalThis, {
    location: { href: "https://app.example/page" },
    BroadcastChannel: Channel,
    addEventListener: (name, handler) => (handlers[name] = handler),
    page: handlers,
    fetch: async (input, init) => {
      const request = new Request(new URL(input.url ?? input, location.href), input.url ? input : init);
      requests.push(request);
      return answer(request);
    },
  });
  globalThis.Request = class extends RealRequest {
    constructor(input, init) {
      super(typeof input === "string" ? new URL(input, location.href) : input, init);
    }
  };
});
const RealRequest = globalThis.Request;

const paths = () => requests.map((request) => `${request.method} ${new URL(request.url).pathname}`);

test("it stays under three kilobytes, gzipped", () => {
  assert.ok(gzipSync(source, { level: 9 }).length < 3072);
});

test("a login is posted as JSON and tells everybody who listens", async () => {
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

test("it never loops: a call that is refused again is handed back", async () => {
  const session = await load();
  answer = (request) => (request.url.endsWith("/auth/refresh") ? live() : expired());
  assert.equal((await session.fetch("/api")).status, 401);
  assert.deepEqual(paths(), ["GET /api", "POST /auth/refresh", "GET /api"]);
});

test("a renewal that fails hands the first answer back, its body unread", async () => {
  const session = await load();
  answer = (request) => (request.url.endsWith("/auth/refresh") ? json({ code: "session_revoked" }, 401) : expired());
  const response = await session.fetch("/api");
  assert.equal((await response.json()).code, "token_expired");
});

test("other refusals renew nothing", async () => {
  const session = await load();
  answer = () => json({ code: "insufficient_user_authentication" }, 401);
  await session.fetch("/api");
  assert.deepEqual(paths(), ["GET /api"]);
});

test("other origins are left alone", async () => {
  const session = await load();
  answer = () => expired();
  await session.fetch("https://elsewhere.example/api");
  assert.equal(requests.length, 1);
  assert.equal(requests[0].headers.get("authorization"), null);
});

test("a hybrid access token goes to our origin only, and is in no state that is handed out", async () => {
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

test("time is counted on a clock that nobody can set", async () => {
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
  const one = await load();
  const other = await load();
  const states = [];
  other.onChange((state) => states.push(state.authenticated));
  await one.login({});
  await new Promise((resolve) => setTimeout(resolve, 5));
  answer = () => new Response(null, { status: 204 });
  await one.logout();
  assert.deepEqual(states, [true, false]);
  assert.ok(requests.some((request) => request.url.endsWith("/auth/session?passive=1")));
});

test("a page from the back-forward cache asks again before it is believed", async () => {
  const session = await load();
  await session.current();
  answer = () => json({ authenticated: false });
  const states = [];
  session.onChange((state) => states.push(state.authenticated));
  page.pageshow({ persisted: false });
  page.pageshow({ persisted: true });
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(states, [false]);
});

test("what is patched after it loaded does not reach it", async () => {
  const session = await load();
  let stolen = 0;
  globalThis.fetch = () => stolen++;
  await session.login({ password: "p" });
  assert.equal(stolen, 0);
});
