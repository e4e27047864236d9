// The key set of the issuer: fetched at the start, in intervals, and when a token names an unknown key.
import { createPublicKey } from "node:crypto";
import { get, limit } from "./address.js";
import { COOLDOWN, MAXIMUM_KEY_SET, REFRESH, RETRY } from "./limits.js";

/** Requests ask for a fetch and wait for it. The last good set stays while the issuer is away. */
export class KeySetFeed {
  #address;
  #logger;
  #keys = new Map();
  #document;
  #fetching;
  #began = -Infinity;
  #isFailing = false;
  #isClosed = false;
  #request;
  #timer;

  constructor(address, logger) {
    this.#address = address;
    this.#logger = logger;
  }

  get hasKeys() {
    return this.#keys.size > 0;
  }

  find(keyID) {
    return this.#keys.get(keyID);
  }

  /** Fetches the set, or waits for a fetch that is in progress; does nothing if the last one began less than the cooldown ago. */
  async lookUp() {
    if (!this.#fetching && (this.#isClosed || performance.now() < this.#began + COOLDOWN * 1000)) return;
    await this.fetch();
  }

  fetch() {
    this.#fetching ??= this.#fetchOnce();
    return this.#fetching;
  }

  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#request?.destroy();
  }

  async #fetchOnce() {
    clearTimeout(this.#timer);
    this.#began = performance.now();
    try {
      this.#adopt(await this.#read());
      if (this.#isFailing) this.#logger.warn("the key set of the issuer is read again");
      this.#isFailing = false;
    } catch (error) {
      const text = `the key set of the issuer cannot be used, the last one stays: ${this.#address.text}: ${error}`;
      if (!this.#isFailing && !this.#isClosed) this.#logger.error(text);
      this.#isFailing = true;
    }
    this.#fetching = undefined;
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => this.fetch(), (this.#isFailing ? RETRY : REFRESH) * 1000).unref();
  }

  async #read() {
    let unlimited;
    try {
      const response = await get(this.#address, {}, (request) => {
        this.#request = request;
        unlimited = limit(request);
      });
      const chunks = [];
      let size = 0;
      for await (const chunk of response) {
        size += chunk.length;
        if (size > MAXIMUM_KEY_SET) throw new Error(`it is longer than ${MAXIMUM_KEY_SET} bytes`);
        chunks.push(chunk);
      }
      return Buffer.concat(chunks).toString();
    } finally {
      unlimited?.();
    }
  }

  #adopt(document) {
    if (document === this.#document) return;
    this.#keys = parseKeySet(document);
    this.#document = document;
  }
}

// The algorithm of a key. It is bound to one: a token must not choose another one for it.
const ALGORITHMS = { "EC P-256": "ES256", "OKP Ed25519": "Ed25519", RSA: "RS256" };

/** Throws for a set with a broken key or a secret: every reader of a secret could forge tokens with it. */
export const parseKeySet = (document) => {
  const keys = new Map();
  for (const jwk of JSON.parse(document).keys) {
    const { kid, kty, crv, alg, use = "sig" } = jwk;
    if (typeof kid !== "string" || keys.has(kid) || use !== "sig" || "d" in jwk || "k" in jwk) {
      throw new Error("a key has no kid of its own, is for another use, or is a secret");
    }
    const algorithm = ALGORITHMS[crv === undefined ? kty : `${kty} ${crv}`];
    const names = algorithm === "Ed25519" ? ["Ed25519", "EdDSA"] : [algorithm];
    if (!algorithm || (alg !== undefined && !names.includes(alg))) throw new Error(`the key ${kid} is for another algorithm`);
    const key = createPublicKey({ key: jwk, format: "jwk" });
    if (key.asymmetricKeyDetails?.modulusLength < 2048) throw new Error(`the key ${kid} is shorter than 2048 bits`);
    keys.set(kid, { algorithm, key });
  }
  if (keys.size === 0) throw new Error("it has no key");
  return keys;
};
