// Checks access tokens of Cloakroom. Node 20 or later, without dependencies.
import { createPublicKey, verify } from "node:crypto";

const ISSUER = "https://app.example.com"; // your publicURL
const AUDIENCE = "https://app.example.com"; // your publicURL
const JWKS = "http://127.0.0.1:8080/.well-known/jwks.json";
const ALGORITHM = "ES256"; // never read it from the token
const LEEWAY = 10; // seconds that the clocks of the two machines may differ
const REFRESH = 300; // seconds between two fetches of the key set, so that a removed key is refused
const COOLDOWN = 1; // seconds between two fetches that tokens with an unknown kid cause
const TIMEOUT = 2; // seconds

class Refused extends Error {}
class Unavailable extends Error {}

let keys = new Map(); // the last good key set
let tried = -Infinity;
let fetching;

const fetchKeys = async () => {
  try {
    const response = await fetch(JWKS, { signal: AbortSignal.timeout(TIMEOUT * 1000), redirect: "error" });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const set = (await response.json()).keys.filter((jwk) => jwk.kty === "EC" && jwk.crv === "P-256" && jwk.use === "sig");
    if (set.length === 0) throw new Error("it has no key");
    keys = new Map(set.map((jwk) => [jwk.kid, createPublicKey({ key: jwk, format: "jwk" })]));
  } catch (error) {
    console.warn(`the key set could not be fetched, the last one stays: ${error}`);
  } finally {
    tried = performance.now();
    fetching = undefined;
  }
};

const keyOf = async (kid) => {
  const seconds = (performance.now() - tried) / 1000;
  if (seconds > (keys.has(kid) ? REFRESH : COOLDOWN)) fetching ??= fetchKeys();
  if (!keys.has(kid)) await fetching; // requests with a known kid do not wait for a fetch
  if (keys.size === 0) throw new Unavailable();
  return keys.get(kid);
};

const read = (part) => {
  try {
    return Object(JSON.parse(Buffer.from(part, "base64url")));
  } catch {
    throw new Refused("token_invalid");
  }
};

/** Returns the claims of an access token. Rejects with Refused or Unavailable. */
export async function verifyToken(token) {
  // Buffer skips letters that are not base64url, so they are refused here.
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) throw new Refused("token_invalid");
  const [header, payload, signature] = token.split(".");
  const { alg, kid, typ, crit } = read(header);
  // Another typ is a refresh token, or an ID token of the same issuer. `crit` names rules that this code does not know.
  if (alg !== ALGORITHM || typ !== "at+jwt" || crit !== undefined) throw new Refused("token_invalid");
  const key = await keyOf(kid);
  const isGenuine = key && verify(
    "sha256", Buffer.from(`${header}.${payload}`), { key, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));
  if (!isGenuine) throw new Refused("token_invalid");
  const claims = read(payload);
  const isForUs = claims.iss === ISSUER && [claims.aud].flat().includes(AUDIENCE);
  if (!isForUs || !claims.sub || typeof claims.sub !== "string" || typeof claims.exp !== "number") throw new Refused("token_invalid");
  if (claims.exp + LEEWAY <= Date.now() / 1000) throw new Refused("token_expired");
  return claims;
}

/** Middleware for Express and node:http. The claims are in `request.claims`. */
export async function requireToken(request, response, next) {
  const respond = (status, title, code, headers) => {
    response.writeHead(status, { "Content-Type": "application/problem+json", ...headers });
    response.end(JSON.stringify({ type: "about:blank", title, status, code }));
  };
  // `headers` has only the first of two Authorization headers; `headersDistinct` has both.
  const sent = request.headersDistinct.authorization;
  if (!sent) return respond(401, "Unauthorized", "session_missing", { "WWW-Authenticate": "Bearer" });
  try {
    const [, token = ""] = /^bearer +(\S+)$/i.exec(sent.join()) ?? [];
    request.claims = await verifyToken(token);
  } catch (error) {
    if (error instanceof Unavailable) return respond(503, "Service Unavailable", "unavailable", { "Retry-After": "1" });
    if (!(error instanceof Refused)) return next(error);
    return respond(401, "Unauthorized", error.message, { "WWW-Authenticate": 'Bearer error="invalid_token"' });
  }
  next();
}
