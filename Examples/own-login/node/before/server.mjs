// An app with a login of its own.
import { randomBytes, scryptSync, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import { sign, verify } from "../jwt.mjs";

const salt = randomBytes(16);
const hash = (password) => scryptSync(password, salt, 32);
const users = { "ann@example.com": { id: "42", hash: hash("correct horse battery"), roles: ["editor"] } };

function tokens({ id, roles }) {
  const [access, refresh] = [5, 60 * 24 * 30].map((minutes) => sign({ sub: id, roles }, process.env.SECRET, minutes));
  return { access_token: access, refresh_token: refresh };
}

async function logIn(request, response) {
  const { email, password } = JSON.parse(Buffer.concat(await request.toArray()));
  const user = users[email];
  if (!user || !timingSafeEqual(user.hash, hash(password))) {
    return send(response, 401, { error: "wrong e-mail address or password" });
  }
  send(response, 200, tokens(user));
}

function me(request, response) {
  const claims = verify(request.headers.authorization.slice("Bearer ".length), process.env.SECRET);
  send(response, 200, { id: claims.sub, roles: claims.roles });
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
