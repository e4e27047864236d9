/** Where a `ResourceServer` learns of revoked sessions. */
export interface RevocationSource {
  /** The address of the issuer's private listener: `unix:/run/cloakroom/private.sock` or `http://127.0.0.1:8081`. */
  privateListener: string;
  /** A service key with the scope `revocations:read`. */
  key: string;
  /**
   * The seconds without news from the stream, which come four times a second, after which requests get 503: 1 by default. A session that
   * was revoked meanwhile works for that long.
   */
  staleAfter?: number;
  /**
   * Accepts access tokens until they expire instead. Revoked sessions go on working for that long, and an attacker who can interrupt
   * the stream can bring that about.
   */
  insecureTrustsTokensWhenStale?: boolean;
}

export interface ResourceServerOptions {
  /** `iss` of the tokens: the issuer's `publicURL`. */
  issuer: string;
  /** `aud` of the tokens; by default the same as `issuer`. */
  audience?: string;
  /** The host of the issuer's setting `hosts` to which this app belongs, `*` for all; by default the login host. */
  host?: string;
  /** The address of the key set; by default `/.well-known/jwks.json` of the issuer. */
  jwks?: string;
  /** The issuer's `signingAlgorithm`, `["ES256"]` by default; two of them while it changes. */
  algorithms?: ("ES256" | "Ed25519" | "RS256")[];
  /** The stream of revocations; without it a token is good until it expires. */
  revocations?: RevocationSource;
  /** A token that is valid for longer, in seconds, is refused. 3600 by default. Set it at least to the issuer's `accessTokenLifetime`. */
  longestTokenLifetime?: number;
  /** Allows `http` to other hosts than the local one. Somebody between the two hosts can then replace the keys. */
  insecureAllowsPlainHTTP?: boolean;
  /** Where problems with the issuer are written; by default the console. */
  logger?: { warn(text: string): void; error(text: string): void };
}

/** The claims of a verified access token. */
export interface AccessClaims {
  iss: string;
  aud: string | string[];
  /** The id of the user. */
  sub: string;
  /** The id of the session. */
  sid: string;
  exp: number;
  iat: number;
  [name: string]: unknown;
}

export type RefusalCode = "session_missing" | "token_invalid" | "token_expired" | "session_revoked" | "unavailable";

/** A request that must not pass. `status`, `title`, `headers` and `body` are the response. */
export class RefusedRequest extends Error {
  constructor(code: RefusalCode);
  readonly code: RefusalCode;
  readonly status: 401 | 503;
  readonly title: string;
  readonly headers: Record<string, string>;
  /** The problem, as RFC 9457 JSON. */
  readonly body: string;
  /** The value of `WWW-Authenticate`; undefined for `unavailable`, which is 503. */
  readonly wwwAuthenticate: string | undefined;
}

/** An address of the issuer that a `ResourceServer` cannot use. */
export class UnusableAddress extends Error {}

/**
 * Verifies the access tokens of a Cloakroom that runs elsewhere. Make one when the app is loaded: it fetches the key set and follows
 * the stream of revocations. A request reads memory only.
 */
export class ResourceServer {
  /** Throws `UnusableAddress`, and `RangeError` for another value that cannot be used. */
  constructor(options: ResourceServerOptions);
  /** Whether tokens can be checked: there is a key set, and the view of revocations is current. For a readiness probe. */
  readonly isReady: boolean;
  /** The number of entries of the stream in memory, for a metric. */
  readonly revocationCount: number;
  /**
   * The claims of an access token. A token with an unknown `kid` waits for a fetch of the key set, two seconds at most; all others wait
   * for nothing. Rejects with `RefusedRequest`.
   */
  verify(token: string): Promise<AccessClaims>;
  /** The claims of the access token in the values of the `Authorization` header: `request.headersDistinct.authorization`. */
  authorize(authorization: string | string[] | undefined): Promise<AccessClaims>;
  /** Ends the fetches and the stream. Tokens are refused with `unavailable` once the stream counts as stale. */
  close(): void;
}
