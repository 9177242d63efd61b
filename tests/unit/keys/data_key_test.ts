import assert from "node:assert/strict";
import type { Bytes } from "../../../src/base/bytes.ts";
import {
  KEY_PURPOSES,
  type KeyWrap,
  type WrappedKey,
} from "../../../src/base/data_key.ts";
import { commitmentOf, importDek } from "../../../src/crypto/dek.ts";
import type { Random } from "../../../src/io/random.ts";
import {
  drawDataKey,
  openDataKey,
  rewrapDataKey,
} from "../../../src/keys/data_key.ts";
import {
  CommitmentMismatchError,
  KekMismatchError,
} from "../../../src/keys/errors.ts";
import {
  KekUnavailableError,
  WrapRejectedError,
} from "../../../src/keys/kek_errors.ts";
import type { Kek } from "../../../src/keys/port.ts";
import { SimRandom } from "../../sim/io/random.ts";
import { CLUSTER_ID } from "./sample_keys.ts";
import { TestKek } from "./test_kek.ts";

const free = () => false;

async function draw(
  keks: readonly Kek[],
  given: Partial<Parameters<typeof drawDataKey>[1]> & { seed?: number } = {},
): Promise<WrappedKey> {
  const random = new SimRandom(given.seed ?? 1);
  return await drawDataKey({ random, keks }, {
    clusterId: CLUSTER_ID,
    purpose: "storage",
    taken: free,
    createdMs: 5,
    ...given,
  });
}

function open(keks: readonly Kek[], key: WrappedKey, known = [key]) {
  return openDataKey({ clusterId: CLUSTER_ID, keks, known }, key);
}

function rejects(
  promise: Promise<unknown>,
  kind: new (...args: never[]) => Error,
) {
  return assert.rejects(promise, kind);
}

function withWraps(key: WrappedKey, ...wraps: KeyWrap[]): WrappedKey {
  return { ...key, wraps };
}

function flipped(wrap: KeyWrap, at: number): KeyWrap {
  const wrapped = wrap.wrapped.slice();
  wrapped[at]! ^= 1;
  return { ...wrap, wrapped };
}

for (const purpose of KEY_PURPOSES) {
  Deno.test(`drawDataKey() draws a key that opens, for "${purpose}"`, async () => {
    const keks = [await TestKek.of(1), await TestKek.of(2)];
    const key = await draw(keks, { purpose });
    assert.equal(key.purpose, purpose);
    assert.equal(key.createdMs, 5);
    assert.deepEqual(key.wraps.map(({ kek }) => kek), keks.map(({ id }) => id));
    assert.ok(key.wraps.every(({ wrapped }) => wrapped.length === 60));
    for (const kek of keks) {
      const dek = await open([kek], key);
      assert.equal(dek.extractable, false);
      const name = { clusterId: CLUSTER_ID, keyId: key.id, purpose };
      assert.deepEqual(await commitmentOf(dek, name), key.commitment);
    }
  });
}

Deno.test("drawDataKey() draws ids again that are 0 or taken", async () => {
  const ids = [0, 7, 8, 0, 9];
  const random: Random = {
    bytes: (length) => new Uint8Array(length).fill(3),
    below: (until) => {
      assert.equal(until, 2 ** 32);
      return ids.shift()!;
    },
  };
  const keks = [await TestKek.of(1)];
  const key = await drawDataKey({ random, keks }, {
    clusterId: CLUSTER_ID,
    purpose: "raft",
    taken: (id) => id < 9,
    createdMs: 0,
  });
  assert.equal(key.id, 9);
  assert.deepEqual(ids, []);
});

Deno.test("the raw bytes of a key are wiped", async () => {
  const kek = await TestKek.of(1);
  const key = await draw([kek]);
  await open([kek], key);
  await rewrapDataKey({ clusterId: CLUSTER_ID, keks: [kek], known: [] }, key, [
    kek,
  ]);
  const down = await TestKek.of(2);
  down.isDown = true;
  await rejects(draw([kek, down]), KekUnavailableError);
  const other = await draw([kek], { seed: 2 });
  const swapped = withWraps(key, other.wraps[0]!);
  await rejects(open([kek], swapped, [other]), CommitmentMismatchError);
  const replaced = { ...key, commitment: other.commitment };
  await rejects(open([kek], replaced), CommitmentMismatchError);
  assert.equal(kek.secrets.length, 8);
  for (const secret of kek.secrets) {
    assert.ok(secret.every((byte) => byte === 0));
  }
});

Deno.test("openDataKey() opens by any one wrap", async () => {
  const [a, b, c] = [
    await TestKek.of(1),
    await TestKek.of(2),
    await TestKek.of(3),
  ];
  const key = await draw([a, b]);
  const [first, second] = key.wraps as [KeyWrap, KeyWrap];
  await open([a], key);
  await open([b], key);
  await open([c, b], key);
  a.isDown = true;
  await open([a, b], key);
  a.isDown = false;
  await open([a, b], withWraps(key, flipped(first, 20), second));
  await open([a, b], withWraps(key, first, flipped(second, 20)));
});

Deno.test("openDataKey() asks the KEK that a wrap names first", async () => {
  const [a, b] = [await TestKek.of(1), await TestKek.of(2)];
  const key = await draw([b]);
  await open([a, b], key);
  assert.deepEqual([a.unwraps, b.unwraps], [0, 1]);
});

Deno.test("openDataKey() tries local KEKs under other names", async () => {
  const kek = await TestKek.of(1);
  const key = await draw([kek]);
  const sameBytes = await TestKek.of(1, kek.id.replace("file:", "env:"));
  await open([sameBytes], key);
  const remote = await TestKek.of(1, "aws-kms:arn:aws:kms:x:1:key/7");
  await rejects(open([remote], key), KekMismatchError);
  assert.equal(remote.unwraps, 0);
});

Deno.test("a wrong KEK, a damaged and a swapped wrap are three errors", async () => {
  const [kek, wrong] = [await TestKek.of(1), await TestKek.of(2)];
  const key = await draw([kek], { seed: 1 });
  const other = await draw([kek], { seed: 2, purpose: "raft" });
  const [wrap] = key.wraps as [KeyWrap];
  const [otherWrap] = other.wraps as [KeyWrap];
  await assert.rejects(open([wrong], key), (error) => {
    assert.ok(error instanceof KekMismatchError);
    assert.deepEqual(error.wrappedUnder, [kek.id]);
    assert.deepEqual(error.kekIds, [wrong.id]);
    assert.ok(error.message.includes(kek.id));
    assert.ok(error.message.includes(wrong.id));
    return true;
  });
  await assert.rejects(open([], key), (error) => {
    assert.ok(error instanceof KekMismatchError);
    assert.match(error.message, /no KEK is configured/);
    return true;
  });
  for (let at = 0; at < 60; at += 1) {
    const damaged = withWraps(key, flipped(wrap, at));
    await rejects(
      open([kek, wrong], damaged, [damaged, other]),
      WrapRejectedError,
    );
  }
  for (const length of [0, 1, 59, 61]) {
    const wrapped = new Uint8Array(length);
    const cut = withWraps(key, { ...wrap, wrapped });
    await rejects(open([kek], cut), WrapRejectedError);
  }
  const swapped = withWraps(key, otherWrap);
  await assert.rejects(open([kek], swapped, [swapped, other]), (error) => {
    assert.ok(error instanceof CommitmentMismatchError);
    assert.deepEqual([error.keyId, error.holds], [key.id, other.id]);
    return true;
  });
  const replaced = { ...key, commitment: other.commitment };
  await assert.rejects(open([kek], replaced), (error) => {
    assert.ok(error instanceof CommitmentMismatchError);
    assert.deepEqual([error.keyId, error.holds], [key.id, null]);
    return true;
  });
});

Deno.test("a wrap is bound to cluster, key id and purpose", async () => {
  const kek = await TestKek.of(1);
  const key = await draw([kek]);
  const elsewhere = new Uint8Array(16).fill(7);
  const keks = [kek];
  await rejects(
    openDataKey({ clusterId: elsewhere, keks, known: [] }, key),
    WrapRejectedError,
  );
  await rejects(
    open(keks, { ...key, id: (key.id ^ 1) >>> 0 }),
    WrapRejectedError,
  );
  await rejects(open(keks, { ...key, purpose: "raft" }), WrapRejectedError);
});

/** A provider that does not say no. */
function lax(kek: TestKek, answer: Bytes): Kek {
  return {
    id: kek.id,
    wrap: (secret, context) => kek.wrap(secret, context),
    unwrap: () => Promise.resolve(answer.slice()),
  };
}

Deno.test("what a provider opens is checked against the commitment", async () => {
  const kek = await TestKek.of(1);
  const key = await draw([kek]);
  for (const length of [0, 16, 31, 32, 33, 64]) {
    const bytes = new Uint8Array(length).fill(1);
    await rejects(open([lax(kek, bytes)], key), CommitmentMismatchError);
  }
  const good = await TestKek.of(2);
  const both = await draw([kek, good]);
  await open([lax(kek, new Uint8Array(32)), good], both);
});

Deno.test("a silent provider is no mismatch", async () => {
  const [a, b] = [await TestKek.of(1), await TestKek.of(2)];
  const key = await draw([a, b]);
  const [first, second] = key.wraps as [KeyWrap, KeyWrap];
  a.isDown = true;
  await rejects(open([a], key), KekUnavailableError);
  const damaged = withWraps(key, first, flipped(second, 30));
  await rejects(open([a, b], damaged), KekUnavailableError);
  await rejects(
    open([a, b], { ...key, commitment: new Uint8Array(32) }),
    KekUnavailableError,
  );
  const wrong = await TestKek.of(3);
  await rejects(open([a, wrong], key), KekUnavailableError);
});

Deno.test("rewrapDataKey() changes the KEKs and nothing else", async () => {
  const [a, b] = [await TestKek.of(1), await TestKek.of(2)];
  const key = await draw([a]);
  const opening = { clusterId: CLUSTER_ID, keks: [a, b], known: [key] };
  const wraps = await rewrapDataKey(opening, key, [b]);
  assert.deepEqual(wraps.map(({ kek }) => kek), [b.id]);
  await open([b], { ...key, wraps });
  await rejects(open([a], { ...key, wraps }), KekMismatchError);
  await rejects(
    rewrapDataKey({ ...opening, keks: [b] }, key, [b]),
    KekMismatchError,
  );
  const changed = { ...key, commitment: new Uint8Array(32) };
  await rejects(rewrapDataKey(opening, changed, [b]), CommitmentMismatchError);
});

Deno.test("a data key has the commitment of its 32 bytes", async () => {
  const raw = new Uint8Array(32).fill(3);
  const dek = await importDek(raw.slice());
  const keks = [await TestKek.of(1)];
  const random: Random = { bytes: () => raw.slice(), below: () => 7 };
  const key = await drawDataKey({ random, keks }, {
    clusterId: CLUSTER_ID,
    purpose: "storage",
    taken: free,
    createdMs: 0,
  });
  const name = { clusterId: CLUSTER_ID, keyId: 7, purpose: "storage" } as const;
  assert.deepEqual(key.commitment, await commitmentOf(dek, name));
});
