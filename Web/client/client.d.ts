/** Who is logged in, and for how long: the server's response to login, refresh and session. */
export interface SessionState {
  authenticated: boolean;
  user?: { id: string; email: string };
  session?: {
    id: string;
    created_at: string;
    /** When the user last entered the password. */
    auth_time: string;
    amr: string[];
    acr: string;
    binding: "none";
    /** Seconds until the access token expires, at the time of the response. */
    expires_in: number;
    /** Seconds until the session expires, at the time of the response. */
    session_expires_in: number;
    /** Whether this response has a new refresh token. */
    rotated: boolean;
    /** Seconds until a renewal can return newer tokens; only in the response to a renewal that was too early. */
    renew_in?: number;
  };
  delivery?: "cookie" | "hybrid" | "body";
}

/** An error response of the server. */
export class CloakroomError extends Error {
  /** The HTTP status. */
  readonly status: number;
  /** The stable code, such as `invalid_credentials`. */
  readonly code: string;
  /** The whole response body (RFC 9457). */
  readonly problem: Record<string, unknown>;
  /** Seconds until another try makes sense, if the server sent them: with `rate_limited` and `unavailable`. */
  readonly retryAfter?: number;
}

export interface Session {
  /** If the server is busy, `login`, `signup` and `stepUp` wait for `Retry-After`, a minute at most, and try once more. */
  login(fields: { email: string; password: string; remember?: boolean; client_id?: string }): Promise<SessionState>;
  signup(fields: { email: string; password: string }): Promise<SessionState>;
  /** Authenticates again, for routes that respond `insufficient_user_authentication`. */
  stepUp(fields: { password: string }): Promise<SessionState>;
  logout(): Promise<void>;
  /** Requests the state from the server. With `passive` it neither renews nor counts as activity. */
  current(options?: { passive?: boolean }): Promise<SessionState>;
  /**
   * Renews now. Sends nothing while the server's `renew_in` has not passed. `fetch` calls it when the access token has
   * expired.
   */
  renew(): Promise<SessionState>;
  /**
   * `fetch`, with one renewal and one retry when the access token has expired. After any other 401 it asks the server
   * whether the session still exists. Requests to other origins go to `fetch` unchanged. If a request has an
   * `Authorization` header of its own, the header stays as it is, and only a 401 of Cloakroom itself renews or asks.
   */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /** Seconds until the access token expires, by the monotonic clock. */
  secondsLeft(): number;
  /** Calls the listener when this or another tab logs in, logs out or renews. Returns a function that removes it. */
  onChange(listener: (state: SessionState) => void): () => void;
}

/**
 * Creates the session of a page. Without `document`, `location` or `fetch`, as on a server that renders pages, it is
 * inert: `authenticated` is false, `fetch` is the server's own, and `login`, `signup`, `stepUp` and `logout` fail.
 * @param options `base`: the origin of Cloakroom, such as `https://auth.example.com`; by default the page's origin.
 * `origin`: the origin of the page, for relative addresses where there is no `location`. A browser ignores it.
 */
export function createSession(options?: { base?: string; origin?: string }): Session;
