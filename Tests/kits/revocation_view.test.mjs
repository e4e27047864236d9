// The view of revocations and the reader of the stream, with clocks that the test moves. test_revocation_view.py is the same for Python.
import assert from "node:assert/strict";
import { test } from "node:test";
import { STEP } from "../../kits/node/lib/limits.js";
import { RevocationReader } from "../../kits/node/lib/revocation_reader.js";
import { pause } from "../../kits/node/lib/revocation_stream.js";
import { RevocationView } from "../../kits/node/lib/revocation_view.js";

const LIFETIME = 300;
const MEMORY = LIFETIME + 60;

const makeWorld = () => {
  const world = { uptime: 1000, now: 1_800_000_000 };
  world.view = new RevocationView(LIFETIME, 5, () => world.now, () => world.uptime);
  world.reader = new RevocationReader(world.view);
  world.reader.begin();
  world.confirm = (age = 0, elapsed = world.uptime - 1000) =>
    world.reader.apply({ name: "current", data: JSON.stringify({ age, elapsed }) });
  world.wait = (seconds) => {
    world.uptime += seconds;
    world.now += seconds;
  };
  return world;
};

test("the view is current from the first news until they are too old", () => {
  const world = makeWorld();
  assert(!world.view.isCurrent);
  world.confirm();
  world.wait(5);
  assert(world.view.isCurrent);
  world.wait(0.1);
  assert(!world.view.isCurrent);
});

test("an entry is dropped once no token of its session can be good", () => {
  const world = makeWorld();
  world.view.revoke("first", world.now);
  world.wait(12);
  world.view.revoke("second", world.now);
  world.wait(MEMORY);
  world.confirm();
  assert.deepEqual(["first", "second"].map((name) => world.view.isRevoked(name)), [false, true]);
  world.wait(22);
  world.confirm();
  assert.equal(world.view.count, 0);
});

test("an entry of an issuer whose clock was set back is kept from its arrival", () => {
  // Its token was issued before, so it is good for longer than the time of the entry says.
  const world = makeWorld();
  world.view.revoke("set back", world.now - 3600);
  world.view.revoke("of yesterday", world.now - STEP - MEMORY - 1);
  world.wait(MEMORY - 12);
  world.confirm();
  assert.deepEqual(["set back", "of yesterday"].map((name) => world.view.isRevoked(name)), [true, false]);
});

test("an entry that comes again is kept from its last arrival", () => {
  const world = makeWorld();
  world.view.revoke("s", world.now);
  world.wait(200);
  world.view.revoke("s", world.now - 200);
  world.wait(200);
  world.confirm();
  assert(world.view.isRevoked("s"));
  world.wait(200);
  world.confirm();
  assert.equal(world.view.count, 0);
});

test("tokens up to the latest mark are stale", () => {
  const world = makeWorld();
  for (const mark of [50, 100.5, 70]) world.view.markStale("42", world.now + mark);
  const answers = [99, 100, 100.5, 100.6].map((issuedAt) => world.view.isStale("42", world.now + issuedAt));
  assert.deepEqual(answers, [true, true, true, false]);
  assert(!world.view.isStale("43", world.now));
});

test("after a step back of the wall clock the stream is read from its start", () => {
  const world = makeWorld();
  world.reader.apply({ name: "revoked", data: '{"session":"s","time":1800000000}', id: "1-5" });
  world.confirm();
  world.now -= 3600;
  assert(!world.view.isCurrent);
  assert.throws(() => world.confirm(), /set back/);
  assert.equal(world.reader.place, undefined);
  world.reader.begin();
  world.confirm();
  assert(world.view.isCurrent);
});

test("a machine that was asleep trusts no token before the next news", () => {
  const world = makeWorld();
  world.confirm();
  world.now += 60;
  assert(!world.view.isCurrent);
  world.confirm();
  assert(world.view.isCurrent);
});

const unreadable = [
  "", "[]", "null", "{", "{}", '{"session":"","time":1}', '{"session":7,"time":1}', '{"session":"s"}', '{"session":"s","time":"1"}',
  '{"session":"s","time":true}', '{"session":"s","time":1e999}', '{"session":"s","time":null}'];
for (const data of unreadable) {
  test(`an entry that cannot be read breaks the stream: ${data}`, () => {
    const { reader } = makeWorld();
    assert.throws(() => reader.apply({ name: "revoked", data, id: "1-1" }));
    assert.equal(reader.place, undefined);
  });
}

test("an id that is no header value breaks the stream", () => {
  for (const id of ["", "a b", "a\r\nX: 1", "\u00e9", "x".repeat(257)]) {
    assert.throws(() => makeWorld().reader.apply({ name: "later", data: "{}", id }), /printable/);
  }
});

test("the pause grows up to two seconds and is random", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 2000].map((failures) => pause(failures, () => 1)), [0.25, 0.5, 1, 2, 2, 2]);
  assert.deepEqual([0, 3].map((failures) => pause(failures, () => 0)), [0.125, 1]);
});

test("news are as old as they say", () => {
  const world = makeWorld();
  world.confirm(2.5);
  world.wait(2.5);
  assert(world.view.isCurrent);
  world.wait(0.1);
  assert(!world.view.isCurrent);
});

test("news without their times break the stream", () => {
  for (const data of ["", "{}", "[1]", ...wrongTimes("age", "elapsed"), ...wrongTimes("elapsed", "age")]) {
    const world = makeWorld();
    assert.throws(() => world.reader.apply({ name: "current", data }));
    assert(!world.view.isCurrent);
  }
});

const wrongTimes = (wrong, right) =>
  ["true", '"1"', "null", "-1", "1e999"].map((value) => `{"${wrong}":${value},"${right}":0}`).concat(`{"${right}":0}`);

test("news that a relay held back are as old as the delay", () => {
  const world = makeWorld();
  world.wait(60);
  world.confirm(0, 58);
  world.wait(3);
  assert(world.view.isCurrent);
  world.wait(0.1);
  assert(!world.view.isCurrent);
});

test("a stream that is late by half of the time that the view may be old is read again", () => {
  const world = makeWorld();
  world.wait(60);
  assert.throws(() => world.confirm(0, 57.4), /late/);
  assert(world.view.isCurrent);
  world.reader.begin();
  assert(world.confirm(0, 0));
});

test("news from a clock that runs faster are not younger than their arrival", () => {
  const world = makeWorld();
  world.wait(60);
  world.confirm(1, 61);
  world.wait(4);
  assert(world.view.isCurrent);
  world.wait(0.1);
  assert(!world.view.isCurrent);
});

const revoked = (session, id) => ({ name: "revoked", data: `{"session":"${session}","time":1800000000}`, id });

test("after a reset the stream is read from its start, and known revocations count", () => {
  const world = makeWorld();
  world.reader.apply(revoked("a", "1-5"));
  world.confirm();
  world.reader.apply({ name: "reset", data: "{}" });
  assert.equal(world.reader.place, undefined);
  world.reader.apply(revoked("b", "2-1"));
  assert.equal(world.reader.place, "2-1");
  assert(world.view.isRevoked("a") && world.view.isRevoked("b"));
});

test("a stream that goes on in another history without a reset is read from its start", () => {
  const world = makeWorld();
  world.reader.apply(revoked("a", "1-5"));
  assert.throws(() => world.reader.apply(revoked("b", "12-6")), /another history/);
  assert.equal(world.reader.place, undefined);
  assert(world.view.isRevoked("b"));
});
