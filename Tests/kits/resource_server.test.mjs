// What the kit refuses at the start, its key sets, and its declarations.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ResourceServer, UnusableAddress } from "../../kits/node/index.js";
import { AccessTokenVerifier } from "../../kits/node/lib/access_token.js";
import { serviceAddress } from "../../kits/node/lib/address.js";
import { parseKeySet } from "../../kits/node/lib/key_set.js";

const jwk = (kid, type, options) => ({ ...generateKeyPairSync(type, options).publicKey.export({ format: "jwk" }), kid });
const ec = { ...jwk("a", "ec", { namedCurve: "P-256" }), use: "sig", alg: "ES256" };
const okp = jwk("b", "ed25519");
const short = jwk("c", "rsa", { modulusLength: 1024 });
const long = jwk("d", "rsa", { modulusLength: 2048 });
const p384 = jwk("e", "ec", { namedCurve: "P-384" });

test("https and the local host are good addresses", () => {
  for (const text of ["https://app.example.com/jwks", "http://localhost:8080/jwks", "http://127.0.0.1/jwks", "http://[::1]:8080/jwks", "http://a.localhost/jwks"]) {
    assert.equal(serviceAddress(text).text, text);
  }
  assert.equal(serviceAddress("http://[::1]:8080/jwks").options.hostname, "::1");
});

test("an address where another host can replace the keys is refused", () => {
  const addresses = [
    "http://app.example.com/jwks", "http://127.0.0.1.example.com/jwks", "http://localhost.example.com", "ftp://localhost/jwks", "localhost:8080",
    "unix:/run/s", "https://", "https://user@app.example.com/", "https://app.example.com/?a", "http://10.0.0.1/", "http://[::1", ""];
  for (const text of addresses) assert.throws(() => serviceAddress(text), UnusableAddress, text);
});

test("plain http to another host is unsafe by name, and a socket is for the stream", () => {
  assert.equal(serviceAddress("http://cloakroom:8080/jwks", { allowsPlainHTTP: true }).options.hostname, "cloakroom");
  assert.equal(serviceAddress("unix:/run/s", { path: "/service/revocations" }).options.socketPath, "/run/s");
});

test("an option that cannot be used stops the start", () => {
  const revocations = { privateListener: "unix:/run/s", key: "k" };
  const options = [
    { algorithms: [] }, { algorithms: ["none"] }, { algorithms: ["ES256", "HS256"] }, { longestTokenLifetime: 0 }, { longestTokenLifetime: 86400 },
    { jwks: "http://app.example.com/jwks" }, { revocations: { ...revocations, privateListener: "http://10.0.0.1:8081" } },
    { revocations: { ...revocations, privateListener: "/run/s" } }, { revocations: { ...revocations, staleAfter: 0.4 } }];
  for (const option of options) {
    assert.throws(() => new ResourceServer({ issuer: "http://localhost", ...option }), (error) => error instanceof RangeError || error instanceof UnusableAddress);
  }
});

test("a token of another host is refused", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const token = (host) => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: "i", aud: "i", sub: "1", sid: "s", iat: now, exp: now + 300, "cloakroom:host": host };
    const message = `${encoded({ alg: "ES256", typ: "at+jwt", kid: "a" })}.${encoded(claims)}`;
    return `${message}.${sign("sha256", message, { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
  };
  const hosts = [undefined, "shop.example", "app.example"];
  for (const [host, accepted] of [[undefined, [undefined]], ["shop.example", ["shop.example"]], ["*", hosts]]) {
    const verifier = new AccessTokenVerifier({
      issuer: "i", audience: "i", host, algorithms: ["ES256"], longestTokenLifetime: 3600, logger: { warn() {} } });
    for (const own of hosts) {
      const verify = () => verifier.verify(token(own), { algorithm: "ES256", key: publicKey });
      if (accepted.includes(own)) assert.equal(verify()["cloakroom:host"], own);
      else assert.throws(verify, (error) => error.code === "token_invalid");
    }
  }
});

test("the keys of a set are bound to their algorithms", () => {
  const keys = parseKeySet(JSON.stringify({ keys: [ec, okp, long] }));
  assert.deepEqual([...keys].map(([kid, { algorithm }]) => [kid, algorithm]), [["a", "ES256"], ["b", "Ed25519"], ["d", "RS256"]]);
});

test("a set with a broken key or a secret is refused as a whole", () => {
  const { kid, ...nameless } = ec;
  const sets = [
    [], [ec, ec], [ec, short], [ec, p384], [{ ...ec, use: "enc" }], [{ ...ec, alg: "RS256" }], [{ ...ec, d: "x" }], [{ ...ec, y: ec.x }],
    [{ kty: "oct", k: "eA", kid: "s" }], [{ ...ec, kid: 7 }], [nameless], ["x"], null, "x", 7];
  for (const keys of sets) assert.throws(() => parseKeySet(JSON.stringify({ keys })), Error, JSON.stringify(keys));
});

test("the declarations compile with the documented uses", async () => {
  const options = ["--noEmit", "--strict", "--target", "es2022", "--module", "es2022", "--moduleResolution", "node", "--skipLibCheck"];
  const types = fileURLToPath(new URL("types.ts", import.meta.url));
  await promisify(execFile)("tsc", [...options, types]).catch(({ stdout }) => assert.fail(stdout));
});
