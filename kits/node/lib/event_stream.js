// Reads the lines of a stream of server-sent events (HTML standard, section 9.2.6).
import { MAXIMUM_EVENT } from "./limits.js";

export class EventStreamParser {
  #decoder = new TextDecoder();
  #line = "";
  #isAfterReturn = false;
  #name = "";
  #data = [];
  #size = 0;
  #id;

  /** Yields the events of a chunk, and undefined for each comment. Throws for an event that is too long. */
  *read(chunk) {
    let text = this.#decoder.decode(chunk, { stream: true });
    // An LF after a CR is the second half of a line end.
    if (this.#isAfterReturn && text.startsWith("\n")) text = text.slice(1);
    this.#isAfterReturn = text.endsWith("\r");
    const lines = (this.#line + text).split(/\r\n|\r|\n/);
    this.#line = lines.pop();
    for (const line of lines) {
      this.#check(line);
      if (line.startsWith(":")) yield undefined;
      else if (line) this.#field(line);
      else if (this.#data.length) yield this.#end();
      else this.#end(); // an event without data, which the standard leaves out
    }
    this.#check(this.#line);
  }

  #check(line) {
    if (line.length + this.#size > MAXIMUM_EVENT) throw new Error(`an event is longer than ${MAXIMUM_EVENT} bytes`);
  }

  #field(line) {
    const [, field, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line);
    if (field === "event") this.#name = value;
    else if (field === "id") this.#id = value ?? "";
    else if (field === "data") {
      this.#data.push(value ?? "");
      this.#size += this.#data.at(-1).length + 1;
    }
  }

  #end() {
    const event = { name: this.#name, data: this.#data.join("\n"), id: this.#id };
    [this.#name, this.#data, this.#size, this.#id] = ["", [], 0, undefined];
    return event;
  }
}
