// The parser of event streams, at every split of the bytes. test_event_stream.py runs the same table.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { EventStreamParser } from "../../kits/node/lib/event_stream.js";
import { MAXIMUM_EVENT } from "../../kits/node/lib/limits.js";

const table = JSON.parse(await readFile(new URL("event_streams.json", import.meta.url)));

const items = (...chunks) => {
  const parser = new EventStreamParser();
  return chunks.flatMap((chunk) => [...parser.read(chunk)]).map((item) => (item ? [item.name, item.data, item.id ?? null] : null));
};

for (const row of table) {
  test(`${row.name}: the items are the same at every split`, () => {
    const text = Buffer.from(row.text);
    assert.deepEqual(items(...Array.from(text, (byte) => Buffer.of(byte))), row.items);
    for (let place = 0; place <= text.length; place += 1) {
      assert.deepEqual(items(text.subarray(0, place), text.subarray(place)), row.items);
    }
  });
}

test("an event that is too long breaks the stream", () => {
  assert.throws(() => items(Buffer.from(`data: ${"x".repeat(MAXIMUM_EVENT)}`)), /is longer than/);
  assert.throws(() => items(Buffer.from(`data: ${Array(70).fill("x".repeat(1000)).join("\ndata: ")}`)), /is longer than/);
});
