// Applies the entries of the stream to the view, and remembers the place.
export class RevocationReader {
  #view;
  /** The id of the last entry; undefined to read the stream from its start. */
  place;
  // Whether the stream is read from its start, and was not current since.
  #isFromStart = true;

  constructor(view) {
    this.#view = view;
  }

  /** A new connection reads from `place`. */
  begin() {
    this.#isFromStart = this.place === undefined;
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
      this.#confirm(number(data, "age"));
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

  #confirm(age) {
    if (this.#view.isSetBack && !this.#isFromStart) {
      // Expired tokens are good again, and the view has dropped their sessions.
      this.place = undefined;
      throw new Error("the wall clock was set back, so the stream is read from its start");
    }
    this.#isFromStart = false;
    this.#view.confirm(age);
  }
}

const number = (data, name) => {
  const { [name]: value } = Object(JSON.parse(data));
  if (!Number.isFinite(value)) throw new Error(`an event has no ${name}`);
  return value;
};

const entry = (data, name) => {
  const { [name]: key } = Object(JSON.parse(data));
  if (typeof key !== "string" || !key) throw new Error(`an event has no ${name}`);
  return [key, number(data, "time")];
};
