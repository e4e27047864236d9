// Node 20, without dependencies
import { createPublicKey, verify } from "node:crypto";

const CLOAKROOM = "http://localhost:8080";
const ISSUER = "http://localhost"; // your publicURL; without publicURL keep this value
const AUDIENCE = "http://localhost";
const LEEWAY = 10; // seconds: clocks differ, and a request takes time

let keys = [];
let fetching;

// All requests share one fetch. An unknown kid causes at most one fetch a second.
const fetchKeys = () =>
  (fetching ??= (async () => {
    setTimeout(() => (fetching = undefined), 1000).unref();
    const response = await fetch(`${CLOAKROOM}/.well-known/jwks.json`);
    if (!response.ok) throw new Error(`no keys: ${response.status}`);
    ({ keys } = await response.json());
  })());

// After a rotation a token may name an unknown key: fetch the key set again.
const keyOf = async (kid) => {
  const find = () => keys.find((key) => key.kid === kid);
  if (!find()) await fetchKeys();
  return find();
};

/** Returns the claims of an access token. Throws if it is not a valid one. */
export async function verifyToken(token) {
  const parts = typeof token === "string" ? token.split(".") : [];
  if (parts.length !== 3) throw new Error("no token");
  const [header, payload, signature] = parts;
  const read = (part) => JSON.parse(Buffer.from(part, "base64url"));
  const { alg, kid, typ } = read(header);
  if (alg !== "ES256" || typ !== "at+jwt") throw new Error("not an access token");
  const jwk = await keyOf(kid);
  if (!jwk) throw new Error("not our token");
  const key = { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" };
  if (!verify("sha256", `${header}.${payload}`, key, Buffer.from(signature, "base64url"))) throw new Error("forged");
  const claims = read(payload);
  if (claims.iss !== ISSUER || claims.aud !== AUDIENCE) throw new Error("not for us");
  if (!(claims.exp + LEEWAY > Date.now() / 1000)) throw new Error("expired");
  return claims;
}
