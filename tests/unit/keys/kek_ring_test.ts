import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { KekMismatchError, KekUnknownError } from "../../../src/keys/errors.ts";
import { KekUnavailableError } from "../../../src/keys/kek_errors.ts";
import { KekRing } from "../../../src/keys/kek_ring.ts";
import type { Kek, WrapContext } from "../../../src/keys/port.ts";
import { SimRandom } from "../../sim/io/random.ts";
import { keyFor } from "./custody_harness.ts";
import { CLUSTER_ID } from "./sample_keys.ts";
import { TestKek } from "./test_kek.ts";

const CONTEXT: WrapContext = {
  kind: "challenge",
  clusterId: CLUSTER_ID,
  term: 3,
  target: 4n,
};
const CHALLENGE = new Uint8Array(32).fill(9);

async function keksOf(...bytes: number[]): Promise<TestKek[]> {
  return await Promise.all(bytes.map((byte) => TestKek.of(byte)));
}

function ringOf(keks: readonly Kek[]): KekRing {
  return new KekRing(keks, new SimRandom(1));
}

function namesOf(wraps: readonly { readonly kek: string }[]): string[] {
  return wraps.map(({ kek }) => kek);
}

Deno.test("a ring has each KEK once and no more than a key has wraps", async () => {
  const keks = await keksOf(1, 2, 3, 4, 5, 6, 7, 8, 9);
  assert.equal(ringOf(keks.slice(1)).ids.length, 8);
  assert.throws(() => ringOf(keks), InvariantError);
  assert.throws(() => ringOf([keks[0]!, keks[0]!]), InvariantError);
});

Deno.test("rewrap() takes the primary KEK unless others are named", async () => {
  const [a, b, c] = await keksOf(1, 2, 3) as [TestKek, TestKek, TestKek];
  const ring = ringOf([a, b]);
  const key = await keyFor("raft", [b, c], 1);
  const rewrap = async (...ids: string[]) =>
    namesOf(await ring.rewrap(CLUSTER_ID, key, ids));
  assert.deepEqual(await rewrap(), [a.id]);
  assert.deepEqual(await rewrap(b.id, a.id), [b.id, a.id]);
  await assert.rejects(rewrap(a.id, c.id), (error) => {
    assert.ok(error instanceof KekUnknownError);
    assert.deepEqual([error.kek, error.kekIds], [c.id, [a.id, b.id]]);
    return true;
  });
  const none = ringOf([]).rewrap(CLUSTER_ID, key, []);
  await assert.rejects(none, KekUnknownError);
  const closed = ringOf([a]).rewrap(CLUSTER_ID, key, []);
  await assert.rejects(closed, KekMismatchError);
});

Deno.test("wrapChallenge() takes all KEKs that answer, or the named ones", async () => {
  const [a, b] = await keksOf(1, 2) as [TestKek, TestKek];
  const ring = ringOf([a, b]);
  const wrap = async (...ids: string[]) =>
    namesOf(await ring.wrapChallenge(CHALLENGE, CONTEXT, ids));
  assert.deepEqual(await wrap(), [a.id, b.id]);
  a.isDown = true;
  assert.deepEqual(await wrap(), [b.id]);
  assert.deepEqual(await wrap(b.id), [b.id]);
  await assert.rejects(wrap(a.id, b.id), KekUnavailableError);
  await assert.rejects(wrap("file:0"), KekUnknownError);
  b.isDown = true;
  await assert.rejects(wrap(), KekUnavailableError);
  assert.deepEqual(await ringOf([]).wrapChallenge(CHALLENGE, CONTEXT, []), []);
});

Deno.test("openChallenge() opens by any wrap of a KEK that is here", async () => {
  const [a, b, c] = await keksOf(1, 2, 3) as [TestKek, TestKek, TestKek];
  const wraps = await ringOf([a, b]).wrapChallenge(CHALLENGE, CONTEXT, []);
  const open = (keks: Kek[], context = CONTEXT) =>
    ringOf(keks).openChallenge(wraps, context);
  assert.deepEqual(await open([c, b]), CHALLENGE);
  assert.deepEqual(await open([a]), CHALLENGE);
  a.isDown = true;
  assert.deepEqual(await open([a, b]), CHALLENGE);
  assert.equal(await open([a]), null);
  assert.equal(await open([c]), null);
  assert.equal(await open([]), null);
  assert.equal(await open([b], { ...CONTEXT, target: 5n }), null);
  const swapped = wraps.map((wrap, i) => ({
    ...wrap,
    wrapped: wraps[1 - i]!.wrapped,
  }));
  assert.equal(await ringOf([b]).openChallenge(swapped, CONTEXT), null);
});

Deno.test("gap() needs one KEK that wraps and unwraps", async () => {
  const [a, b] = await keksOf(1, 2) as [TestKek, TestKek];
  assert.deepEqual(await ringOf([]).gap(), { kind: "kek", cause: null });
  a.isDown = true;
  assert.equal(await ringOf([a, b]).gap(), null);
  const gap = await ringOf([a]).gap();
  assert.ok(gap?.kind === "kek" && gap.cause instanceof KekUnavailableError);
  const forgetful: Kek = {
    id: b.id,
    wrap: (secret, context) => b.wrap(secret, context),
    unwrap: () => Promise.resolve(new Uint8Array(32)),
  };
  const other = await ringOf([forgetful]).gap();
  assert.ok(other?.kind === "kek" && other.cause !== null);
});
