// An app with a login of its own.
import { randomBytes, scryptSync, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const salt = randomBytes(16);
const hash = (password) => scryptSync(password, salt, 32);
const users = { "ann@example.com": { id: "42", hash: hash("correct horse battery"), roles: ["editor"] } };

async function begin({ method, headers: { host, origin, cookie, ...other } }, response, { id, roles }) {
  const browser = { method, host, origin, cookie, sec_fetch_site: other["sec-fetch-site"], user_agent: other["user-agent"], ip: other["x-forwarded-for"] };
  const body = JSON.stringify({ subject: id, authentication: { amr: ["pwd"] }, claims: { roles }, browser });
  const key = { Authorization: `Bearer ${process.env.SERVICE_KEY}`, "Content-Type": "application/json" };
  const answer = await fetch(process.env.SERVICE_URL, { method: "POST", headers: key, body, signal: AbortSignal.timeout(5000) });
  const begun = await answer.json();
  if (answer.ok) response.setHeader("Set-Cookie", begun.set_cookie);
  else console.error(begun);
  send(response, answer.ok ? 200 : answer.status, answer.ok ? { id } : { error: begun.code });
}

async function logIn(request, response) {
  const { email, password } = JSON.parse(Buffer.concat(await request.toArray()));
  const user = users[email];
  if (!user || !timingSafeEqual(user.hash, hash(password))) {
    return send(response, 401, { error: "wrong e-mail address or password" });
  }
  await begin(request, response, user);
}

function me(request, response) {
  const { roles } = JSON.parse(request.headers["x-auth-claims"]);
  send(response, 200, { id: request.headers["x-auth-subject"], roles });
}

function send(response, status, body) {
  response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" });
  response.end(JSON.stringify(body));
}

const routes = { "POST /login": logIn, "GET /me": me };

createServer(async (request, response) => {
  const route = routes[`${request.method} ${request.url}`];
  if (!route) return send(response, 404, { error: "not found" });
  try {
    await route(request, response);
  } catch (error) {
    console.error(error);
    send(response, 500, { error: "failed" });
  }
}).listen(process.env.PORT, "127.0.0.1");
