import assert from "node:assert/strict";
import { ChangeUnderWayError } from "../../../../src/node/encryption/change_errors.ts";
import { ChangeLock } from "../../../../src/node/encryption/change_lock.ts";

const refuse = (holder: string) => new ChangeUnderWayError(holder);

Deno.test("ChangeLock lets one change in, and says which it is", async () => {
  const lock = new ChangeLock();
  assert.equal(lock.holder, null);
  const { promise, resolve } = Promise.withResolvers<number>();
  const first = lock.run("first", refuse, () => promise);
  assert.equal(lock.holder, "first");
  let calls = 0;
  await assert.rejects(
    lock.run("second", refuse, async () => calls += 1),
    { code: "NODE_CHANGE_UNDER_WAY", underWay: "first" },
  );
  assert.deepEqual([calls, lock.holder], [0, "first"]);
  resolve(7);
  assert.equal(await first, 7);
  assert.equal(lock.holder, null);
  assert.equal(await lock.run("third", refuse, async () => 8), 8);
});

Deno.test("ChangeLock is free after a change that failed", async () => {
  const lock = new ChangeLock();
  const failure = new Error("no");
  const later = lock.run("a", refuse, () => Promise.reject(failure));
  await assert.rejects(later, failure);
  assert.equal(lock.holder, null);
  const atOnce = lock.run("b", refuse, () => {
    throw failure;
  });
  await assert.rejects(atOnce, failure);
  assert.equal(lock.holder, null);
});
