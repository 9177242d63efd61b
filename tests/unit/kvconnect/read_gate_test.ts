import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { ReadGate } from "../../../src/kvconnect/read_gate.ts";

Deno.test("ReadGate admits in order and never above its bound", async () => {
  const gate = new ReadGate(10);
  const inside: string[] = [];
  const enter = (name: string, entries: number) =>
    gate.enter(entries).then(() => inside.push(name));
  await enter("a", 6);
  const b = enter("b", 5);
  // It would fit and still waits its turn.
  const c = enter("c", 1);
  await Promise.resolve();
  assert.deepEqual(inside, ["a"]);
  assert.equal(gate.entries, 6);
  gate.leave(6);
  await Promise.all([b, c]);
  assert.deepEqual(inside, ["a", "b", "c"]);
  assert.equal(gate.entries, 6);
});

Deno.test("ReadGate asserts what its callers promise", () => {
  const gate = new ReadGate(10);
  assert.throws(() => gate.enter(11), InvariantError);
  assert.throws(() => gate.leave(1), InvariantError);
});
