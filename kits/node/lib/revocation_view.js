// The entries of the stream of revocations that can still concern a token.
import { MARGIN, STEP } from "./limits.js";

const PRUNE_PERIOD = 10;
const TOLERANCE = 1; // the maximum drift between the two clocks from one confirmation to the next

/**
 * Decides about a token without I/O.
 *
 * An entry is kept for the longest lifetime of an access token from its arrival: after that every token of the session has expired by
 * the same clock. If the wall clock is set back, expired tokens are good again, so the view counts as unknown until the stream was read
 * from its start.
 */
export class RevocationView {
  staleAfter;
  uptime;
  #memory;
  #now;
  // The time of each entry (`at`), and since when it is kept.
  #revoked = new Map();
  #stale = new Map();
  // The keys of the entries by the time since when they are kept, so that dropping the oldest does not walk through all.
  #periods = new Map();
  #confirmed;
  #pruned;

  constructor(longestTokenLifetime, staleAfter, now = () => Date.now() / 1000, uptime = () => performance.now() / 1000) {
    this.#memory = longestTokenLifetime + MARGIN;
    this.staleAfter = staleAfter;
    this.#now = now;
    this.uptime = uptime;
    this.#pruned = uptime();
  }

  /** Refuses the tokens of a session. */
  revoke(session, at) {
    this.#add(this.#revoked, session, at);
  }

  /** Tokens of a subject that were issued at this time or before count as expired. */
  markStale(subject, at) {
    this.#add(this.#stale, subject, at);
  }

  #add(entries, key, at) {
    const now = this.#now();
    if (at + this.#memory + STEP < now) return;
    const since = Math.max(at, now);
    entries.set(key, { at: Math.max(at, entries.get(key)?.at ?? at), since });
    const period = Math.floor(since / PRUNE_PERIOD);
    if (!this.#periods.has(period)) this.#periods.set(period, []);
    this.#periods.get(period).push([entries, key]);
  }

  /** The view has every entry from more than `age` seconds ago. */
  confirm(age) {
    const [uptime, now] = [this.uptime(), this.#now()];
    this.#confirmed = { uptime: uptime - age, offset: now - uptime };
    if (uptime < this.#pruned + PRUNE_PERIOD) return;
    this.#pruned = uptime;
    this.#prune(now);
  }

  #prune(now) {
    for (const [period, added] of this.#periods) {
      if ((period + 1) * PRUNE_PERIOD + this.#memory >= now) continue;
      this.#periods.delete(period);
      for (const [entries, key] of added) {
        if (Math.floor(entries.get(key)?.since / PRUNE_PERIOD) === period) entries.delete(key);
      }
    }
  }

  /** Whether the wall clock was set back since the stream was last read. */
  get isSetBack() {
    return this.#confirmed !== undefined && this.#step() < -TOLERANCE;
  }

  /** Whether the view was confirmed a short time ago. A machine that was asleep sees that by its wall clock alone. */
  get isCurrent() {
    if (!this.#confirmed || this.uptime() > this.#confirmed.uptime + this.staleAfter) return false;
    return this.#step() >= -TOLERANCE && this.#step() <= this.staleAfter;
  }

  /** How far the wall clock was moved since the stream was last read. */
  #step() {
    return this.#now() - this.uptime() - this.#confirmed.offset;
  }

  isRevoked(session) {
    return this.#revoked.has(session);
  }

  /** Whether the claims of the subject have changed since the token was issued. */
  isStale(subject, issuedAt) {
    return issuedAt <= this.#stale.get(subject)?.at;
  }

  get count() {
    return this.#revoked.size + this.#stale.size;
  }
}
