import assert from "node:assert/strict";
import { utf8 } from "../../../src/base/bytes.ts";
import { Watchers } from "../../../src/node/watchers.ts";

const NAMES = new Map([["orders", 2]]);

Deno.test("Watchers.notify() calls a watcher once for all its keys", () => {
  const watchers = new Watchers();
  let calls = 0;
  watchers.add("", [utf8("a"), utf8("b")], () => calls += 1);
  const changed = [utf8("a"), utf8("b"), utf8("c")];
  watchers.notify(changed.map((key) => ({ database: 1, key })), NAMES);
  assert.equal(calls, 1);
});

Deno.test("Watchers.notify() keeps databases apart", () => {
  const watchers = new Watchers();
  const calls: string[] = [];
  watchers.add("", [utf8("a")], () => calls.push("default"));
  watchers.add("orders", [utf8("a")], () => calls.push("orders"));
  watchers.notify([{ database: 2, key: utf8("a") }], NAMES);
  assert.deepEqual(calls, ["orders"]);
});

Deno.test("Watchers.notify() learns a database that appears later", () => {
  const watchers = new Watchers();
  let calls = 0;
  watchers.add("late", [utf8("a")], () => calls += 1);
  watchers.notify([{ database: 2, key: utf8("a") }], NAMES);
  assert.equal(calls, 0);
  const names = new Map([...NAMES, ["late", 3] as const]);
  watchers.notify([{ database: 3, key: utf8("a") }], names);
  assert.equal(calls, 1);
});

Deno.test("Watchers.add() tells bytes apart that are no text", () => {
  const watchers = new Watchers();
  let calls = 0;
  watchers.add("", [new Uint8Array([0x80])], () => calls += 1);
  watchers.notify([{ database: 1, key: new Uint8Array([0x81]) }], NAMES);
  assert.equal(calls, 0);
  watchers.notify([{ database: 1, key: new Uint8Array([0x80]) }], NAMES);
  assert.equal(calls, 1);
});

Deno.test("Watchers.add() forgets a cancelled watcher", () => {
  const watchers = new Watchers();
  const watch = watchers.add("", [utf8("a")], () => assert.fail("called"));
  watch.cancel();
  watchers.notify([{ database: 1, key: utf8("a") }], NAMES);
  assert.equal(watchers.size, 0);
});

Deno.test("Watchers.notifyAll() calls each watcher once", () => {
  const watchers = new Watchers();
  const calls: string[] = [];
  watchers.add("", [utf8("a"), utf8("b")], () => calls.push("ab"));
  watchers.add("late", [utf8("a")], () => calls.push("late"));
  watchers.add("", [utf8("c")], () => calls.push("c")).cancel();
  watchers.notifyAll();
  assert.deepEqual(calls.sort(), ["ab", "late"]);
});
