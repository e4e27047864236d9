// Applies the entries of the stream to the view, and remembers the place.
export class RevocationReader {
  #view;
  /** The id of the last entry; undefined to read the stream from its start. */
  place;
  // Whether the stream is read from its start, and the first comment has not come yet.
  #isFromStart = true;

  constructor(view) {
    this.#view = view;
  }

  /** A new connection reads from `place`. */
  begin() {
    this.#isFromStart = this.place === undefined;
  }

  /** Throws for an entry that cannot be read: it could be a revocation, so the stream counts as broken. */
  apply(item) {
    if (item === undefined) return this.#confirm();
    if (item.name === "revoked") this.#view.revoke(...entry(item.data, "session"));
    if (item.name === "stale") this.#view.markStale(...entry(item.data, "subject"));
    if (item.id === undefined) return;
    // It goes into a header of the next request.
    if (!/^[!-~]{1,256}$/.test(item.id)) throw new Error("the id of an event is too long or not printable");
    this.place = item.id;
  }

  #confirm() {
    if (this.#view.isSetBack && !this.#isFromStart) {
      // Expired tokens are good again, and the view has dropped their sessions.
      this.place = undefined;
      throw new Error("the wall clock was set back, so the stream is read from its start");
    }
    this.#isFromStart = false;
    this.#view.confirm();
  }
}

const entry = (data, name) => {
  const { [name]: key, time } = Object(JSON.parse(data));
  if (typeof key !== "string" || !key || !Number.isFinite(time)) throw new Error(`an event has no ${name} or no time`);
  return [key, time];
};
