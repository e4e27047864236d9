// Applies the entries of the stream to the view, and remembers the place.
export class RevocationReader {
  #view;
  /** The id of the last entry; undefined to read the stream from its start. */
  place;
  // Whether the stream is read from its start, and was not current since.
  #isFromStart = true;
  // When the request was sent.
  #asked = 0;

  constructor(view) {
    this.#view = view;
  }

  /** Called before a request, which reads from `place`. */
  begin() {
    this.#isFromStart = this.place === undefined;
    this.#asked = this.#view.uptime();
  }

  /**
   * Returns whether the view is current now. Throws for an entry that cannot be read: it could be a revocation, so the stream counts as
   * broken.
   */
  apply({ name, data, id }) {
    if (name === "revoked") this.#view.revoke(...entry(data, "session"));
    if (name === "stale") this.#view.markStale(...entry(data, "subject"));
    if (name === "reset") [this.place, this.#isFromStart] = [undefined, true];
    if (name === "current") {
      this.#confirm(duration(data, "age"), duration(data, "elapsed"));
      return true;
    }
    if (id !== undefined) this.#goOnAfter(id);
    return false;
  }

  #goOnAfter(place) {
    // It goes into a header of the next request.
    if (!/^[!-~]{1,256}$/.test(place)) throw new Error("the id of an event is too long or not printable");
    // The part before the first hyphen names a history of the store. An issuer says "reset" when the history is another one.
    if (this.place !== undefined && this.place.split("-", 1)[0] !== place.split("-", 1)[0]) {
      this.place = undefined;
      throw new Error("the stream goes on in another history, so it is read from its start");
    }
    this.place = place;
  }

  /**
   * The response began after the request. So the news were sent no earlier than `elapsed` after the request, and what is missing since
   * then is the delay, at most: also behind a relay that holds events back. Clocks that run at different speeds look like a delay that
   * grows, and another connection ends it.
   */
  #confirm(age, elapsed) {
    if (this.#view.isSetBack && !this.#isFromStart) {
      // Expired tokens are good again, and the view has dropped their sessions.
      this.place = undefined;
      throw new Error("the wall clock was set back, so the stream is read from its start");
    }
    this.#isFromStart = false;
    const delay = Math.max(0, this.#view.uptime() - this.#asked - elapsed);
    this.#view.confirm(age + delay);
    if (delay > this.#view.staleAfter / 2) throw new Error("the stream is late");
  }
}

const number = (data, name) => {
  const { [name]: value } = Object(JSON.parse(data));
  if (!Number.isFinite(value)) throw new Error(`an event has no ${name}`);
  return value;
};

const duration = (data, name) => {
  const value = number(data, name);
  if (value < 0) throw new Error(`an event has no ${name}`);
  return value;
};

const entry = (data, name) => {
  const { [name]: key } = Object(JSON.parse(data));
  if (typeof key !== "string" || !key) throw new Error(`an event has no ${name}`);
  return [key, number(data, "time")];
};
