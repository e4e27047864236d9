// Follows `GET /service/revocations` on the private listener of the issuer.
import { get, limit } from "./address.js";
import { EventStreamParser } from "./event_stream.js";
import { FIRST_PAUSE, LONGEST_PAUSE, SILENCE } from "./limits.js";
import { RevocationReader } from "./revocation_reader.js";

/** The seconds until the next try. Random, so that not every process asks at the same moment after a restart of the issuer. */
export const pause = (failures, jitter = Math.random) =>
  Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** failures) * (0.5 + jitter() / 2);

/** Copies the stream into the view. A broken stream is opened again after the last entry that was read. */
export class RevocationStream {
  #address;
  #key;
  #reader;
  #logger;
  #failures = 0;
  // Of the last failure; undefined while the stream is read.
  #reason;
  #isClosed = false;
  #request;
  #timer;

  constructor(address, key, view, logger) {
    this.#address = address;
    this.#key = key;
    this.#reader = new RevocationReader(view);
    this.#logger = logger;
  }

  async run() {
    try {
      await this.#follow();
    } catch (error) {
      if (this.#isClosed) return;
      this.#complain(`${error}`);
    }
    this.#timer = setTimeout(() => this.run(), pause(this.#failures++) * 1000);
    this.#timer.unref();
  }

  /** Logs each reason once: a stream that ended may be refused from then on, because the key was removed. */
  #complain(reason) {
    if (reason !== this.#reason) this.#logger.error(`the stream of revocations is broken: ${this.#address.text}: ${reason}`);
    this.#reason = reason;
  }

  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#request?.destroy();
  }

  async #follow() {
    this.#reader.begin();
    let unlimited;
    const response = await get(this.#address, this.#headers(), (request) => {
      this.#request = request;
      unlimited = limit(request);
    }).finally(() => unlimited?.());
    if (!/^text\/event-stream\b/i.test(response.headers["content-type"] ?? "")) {
      this.#request.destroy();
      throw new Error("the response is no event stream");
    }
    response.socket.unref(); // a program that has nothing else to do may end
    await this.#read(response);
  }

  #headers() {
    const { place } = this.#reader;
    const headers = { Accept: "text/event-stream", Authorization: `Bearer ${this.#key}` };
    return place === undefined ? headers : { ...headers, "Last-Event-ID": place };
  }

  async #read(response) {
    const parser = new EventStreamParser();
    const silence = setTimeout(() => response.destroy(new Error("the stream is silent")), SILENCE * 1000).unref();
    try {
      for await (const chunk of response) {
        silence.refresh();
        for (const item of parser.read(chunk)) {
          if (item !== undefined && this.#reader.apply(item)) this.#confirm();
        }
      }
    } finally {
      clearTimeout(silence);
    }
    throw new Error("the stream ended");
  }

  #confirm() {
    if (this.#reason) this.#logger.warn("the stream of revocations is read again");
    this.#reason = undefined;
    this.#failures = 0;
  }
}
