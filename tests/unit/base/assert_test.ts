import assert from "node:assert/strict";
import {
  assert as claim,
  InvariantError,
  present,
} from "../../../src/base/assert.ts";

Deno.test("assert() throws the broken claim", () => {
  claim(true, "never seen");
  assert.throws(
    () => claim(false, "x is 1"),
    new InvariantError("Invariant broken: x is 1"),
  );
});

Deno.test("present() lets everything but null and undefined pass", () => {
  for (const value of [0, "", false]) assert.equal(present(value, "it"), value);
  assert.throws(() => present(null, "it"), /it is present/);
  assert.throws(() => present(undefined, "it"), InvariantError);
});
