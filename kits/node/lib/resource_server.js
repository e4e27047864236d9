// The check of a request.
import { AccessTokenVerifier } from "./access_token.js";
import { serviceAddress } from "./address.js";
import { KeySetFeed } from "./key_set.js";
import { RefusedRequest } from "./refused_request.js";
import { RevocationStream } from "./revocation_stream.js";
import { RevocationView } from "./revocation_view.js";

const ALGORITHMS = ["ES256", "Ed25519", "RS256"];
// The stream has the entries of the last day.
const LONGEST_TOKEN_LIFETIME = 23 * 3600;

export class ResourceServer {
  #keys;
  #verifier;
  #view;
  #stream;
  #trustsStaleView;

  constructor({
    issuer, audience = issuer, host, jwks = `${issuer}/.well-known/jwks.json`, algorithms = ["ES256"], revocations,
    longestTokenLifetime = 3600, insecureAllowsPlainHTTP: allowsPlainHTTP = false, logger = console,
  }) {
    if (!algorithms.length || !algorithms.every((name) => ALGORITHMS.includes(name))) {
      throw new RangeError(`algorithms has a name that is not one of ${ALGORITHMS.join(", ")}`);
    }
    if (!(longestTokenLifetime > 0 && longestTokenLifetime <= LONGEST_TOKEN_LIFETIME)) {
      throw new RangeError("longestTokenLifetime is over 23 hours: the stream has the entries of one day");
    }
    const address = serviceAddress(jwks, { allowsPlainHTTP });
    this.#verifier = new AccessTokenVerifier({ issuer, audience, host, algorithms, longestTokenLifetime, logger });
    if (revocations) this.#prepare(revocations, longestTokenLifetime, allowsPlainHTTP, logger);
    this.#keys = new KeySetFeed(address, logger);
    this.#keys.fetch();
    this.#stream?.run();
  }

  #prepare({ privateListener, key, staleAfter = 1, insecureTrustsTokensWhenStale = false }, lifetime, allowsPlainHTTP, logger) {
    if (!(staleAfter >= 0.5)) throw new RangeError("staleAfter is under half a second: the stream has news four times a second");
    this.#trustsStaleView = insecureTrustsTokensWhenStale;
    this.#view = new RevocationView(lifetime, staleAfter);
    const address = serviceAddress(privateListener, { path: "/service/revocations", allowsPlainHTTP });
    this.#stream = new RevocationStream(address, key, this.#view, logger);
  }

  close() {
    this.#keys.close();
    this.#stream?.close();
  }

  get isReady() {
    return this.#keys.hasKeys && (this.#view?.isCurrent ?? true);
  }

  get revocationCount() {
    return this.#view?.count ?? 0;
  }

  async authorize(authorization) {
    if (authorization === undefined) throw new RefusedRequest("session_missing");
    // Two headers are no token, and neither is one with a comma.
    const [, token] = /^bearer +(\S+)$/i.exec([authorization].flat().join()) ?? [];
    if (!token) throw new RefusedRequest("token_invalid");
    return this.verify(token);
  }

  async verify(token) {
    if (!this.#keys.hasKeys) throw new RefusedRequest("unavailable");
    const keyID = this.#verifier.keyID(token);
    if (!this.#keys.find(keyID)) await this.#keys.lookUp();
    const key = this.#keys.find(keyID);
    if (!key) throw new RefusedRequest("token_invalid");
    const claims = this.#verifier.verify(token, key);
    if (this.#view) this.#judge(claims);
    return claims;
  }

  #judge({ sid, sub, iat }) {
    if (this.#view.isRevoked(sid)) throw new RefusedRequest("session_revoked");
    if (this.#view.isStale(sub, iat)) throw new RefusedRequest("token_expired");
    if (!this.#view.isCurrent && !this.#trustsStaleView) throw new RefusedRequest("unavailable");
  }
}
