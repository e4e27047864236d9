// The checks of an access token (RFC 9068), all but revocation.
import { verify } from "node:crypto";
import { LEEWAY } from "./limits.js";
import { RefusedRequest } from "./refused_request.js";

const WARNING_PERIOD = 60;
// It keeps a byte order mark, which JSON.parse refuses.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const read = (part) => {
  try {
    return Object(JSON.parse(utf8.decode(Buffer.from(part, "base64url"))));
  } catch {
    throw new RefusedRequest("token_invalid");
  }
};

// RFC 9864 renames EdDSA to Ed25519; both are in use.
const canonical = (name) => (name === "EdDSA" ? "Ed25519" : name);

const isSigned = (algorithm, key, message, signature) =>
  algorithm === "ES256"
    ? verify("sha256", message, { key, dsaEncoding: "ieee-p1363" }, signature)
    : verify(algorithm === "RS256" ? "sha256" : null, message, key, signature);

const isText = (value) => typeof value === "string" && value !== "";

export class AccessTokenVerifier {
  #issuer;
  #audience;
  #host;
  #algorithms;
  #longest;
  #logger;
  #warned = -Infinity;

  constructor({ issuer, audience, host, algorithms, longestTokenLifetime, logger }) {
    this.#issuer = issuer;
    this.#audience = audience;
    this.#host = host;
    this.#algorithms = algorithms;
    this.#longest = longestTokenLifetime;
    this.#logger = logger;
  }

  /** The `kid` of a token that could be one of ours. Nothing is verified yet. */
  keyID(token) {
    const { kid } = this.#header(token);
    if (typeof kid !== "string") throw new RefusedRequest("token_invalid");
    return kid;
  }

  #header(token) {
    // Buffer skips letters that are not base64url, so they are refused here.
    if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) throw new RefusedRequest("token_invalid");
    const header = read(token.split(".", 1)[0]);
    // Another `typ` is a refresh token, or an ID token of the same issuer. `crit` names rules that are not known here.
    if (!this.#algorithms.includes(canonical(header.alg)) || header.typ !== "at+jwt" || "crit" in header) {
      throw new RefusedRequest("token_invalid");
    }
    return header;
  }

  /** The claims of a token with this key's signature, for this audience, at this time. */
  verify(token, { algorithm, key }) {
    const [header, payload, signature] = token.split(".");
    const message = Buffer.from(`${header}.${payload}`);
    const isGenuine = canonical(this.#header(token).alg) === algorithm
      && isSigned(algorithm, key, message, Buffer.from(signature, "base64url"));
    if (!isGenuine) throw new RefusedRequest("token_invalid");
    const claims = read(payload);
    this.#check(claims, Date.now() / 1000);
    return claims;
  }

  #check({ iss, aud, sub, sid, exp, iat, nbf = iat, "cloakroom:host": host }, now) {
    if (iss !== this.#issuer || ![aud].flat().includes(this.#audience)) this.#refuse("its iss or aud is another one");
    if (!isText(sub) || !isText(sid) || ![exp, iat, nbf].every(Number.isFinite)) throw new RefusedRequest("token_invalid");
    if (this.#host !== "*" && host !== this.#host) this.#refuse("it belongs to another host");
    // The view of revocations forgets a session before such a token expires.
    if (exp - iat > this.#longest + LEEWAY) this.#refuse("it is valid for longer than longestTokenLifetime");
    if (Math.max(iat, nbf) > now + LEEWAY) throw new RefusedRequest("token_invalid");
    if (exp + LEEWAY <= now || exp > now + this.#longest + LEEWAY) throw new RefusedRequest("token_expired");
  }

  /** Logs a token that a key of the issuer has signed, but that this app refuses: a setting is probably wrong. */
  #refuse(reason) {
    if (performance.now() > this.#warned + WARNING_PERIOD * 1000) {
      this.#warned = performance.now();
      this.#logger.warn(`a token of a known key was refused; see the options of ResourceServer: ${reason}`);
    }
    throw new RefusedRequest("token_invalid");
  }
}
