/** Who is logged in, and for how long: what the server answers to login, refresh and session. */
export interface SessionState {
  authenticated: boolean;
  user?: { id: string; email: string };
  session?: {
    id: string;
    created_at: string;
    /** When a password was last typed. */
    auth_time: string;
    amr: string[];
    acr: string;
    binding: "none";
    /** Seconds left of the access token when the answer was made. */
    expires_in: number;
    /** Seconds left of the session when the answer was made. */
    session_expires_in: number;
    /** Whether this answer brought a new pair of tokens. */
    rotated: boolean;
    /** Seconds until a renewal can bring a newer pair: in answers to one that came too early for that. */
    renew_in?: number;
  };
  delivery?: "cookie" | "hybrid" | "body";
}

/** A "no" of the server. */
export class CloakroomError extends Error {
  /** The HTTP status. */
  readonly status: number;
  /** The stable name, such as `invalid_credentials`. */
  readonly code: string;
  /** The whole answer (RFC 9457). */
  readonly problem: Record<string, unknown>;
  /** Seconds until it is worth another try, where the server says so: with `rate_limited` and `unavailable`. */
  readonly retryAfter?: number;
}

export interface Session {
  /** When the server is busy and says for how long, `login`, `signup` and `stepUp` wait once, a minute at most. */
  login(fields: { email: string; password: string; remember?: boolean; client_id?: string }): Promise<SessionState>;
  signup(fields: { email: string; password: string }): Promise<SessionState>;
  /** A fresh authentication, for routes that answer `insufficient_user_authentication`. */
  stepUp(fields: { password: string }): Promise<SessionState>;
  logout(): Promise<void>;
  /** Asks the server. `passive` neither renews nor keeps the session alive. */
  current(options?: { passive?: boolean }): Promise<SessionState>;
  /**
   * Renews now, unless the server has said that this is too early (`renew_in`): then nothing is sent.
   * `fetch` renews by itself when it must.
   */
  renew(): Promise<SessionState>;
  /**
   * `fetch`, with one renewal and one retry when the access token has expired. After any other 401 it asks the server
   * whether the session lives. Other origins are left alone.
   */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /** Seconds left of the access token, on a clock that nobody can set. */
  secondsLeft(): number;
  /** Called when this or another tab logs in, out, or renews. Returns what ends it. */
  onChange(listener: (state: SessionState) => void): () => void;
}

/**
 * On a server that renders the page, the session is inert: nobody is logged in, and `fetch` is the server's own.
 * @param options `base`: where Cloakroom is, such as `https://auth.example.com`; by default this origin.
 */
export function createSession(options?: { base?: string }): Session;
