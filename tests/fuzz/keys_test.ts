import assert from "node:assert/strict";
import fc from "fast-check";
import {
  CREATED_MS_MAX,
  KEY_ID_MAX,
  type WrappedKey,
} from "../../src/base/data_key.ts";
import {
  KekMismatchError,
  SidecarMalformedError,
  SidecarTamperedError,
} from "../../src/keys/errors.ts";
import {
  canonicalJson,
  JsonFault,
  type JsonValue,
  parseJson,
  prettyJson,
} from "../../src/keys/json.ts";
import { openSidecar } from "../../src/keys/open_sidecar.ts";
import {
  formatSidecar,
  parseSidecar,
  type SidecarContent,
  sidecarText,
} from "../../src/keys/sidecar.ts";
import { readSidecar, sidecarPath } from "../../src/keys/sidecar_file.ts";
import { DIR, founded, freshDisk } from "../unit/keys/custody_harness.ts";
import { CLUSTER_ID } from "../unit/keys/sample_keys.ts";
import { TestKek } from "../unit/keys/test_kek.ts";

const RUNS = { numRuns: 3_000 };
const KEK = await TestKek.of(1);
const VALID = await validText();

async function validText(): Promise<string> {
  const { disk } = await founded([KEK]);
  const bytes = disk.durableBytes(sidecarPath(DIR));
  return new TextDecoder().decode(bytes!);
}

/** Texts that are nearly `text`. */
function mutated(text: string): fc.Arbitrary<string> {
  const place = fc.nat(text.length);
  const piece = fc.oneof(
    fc.string({ maxLength: 4 }),
    fc.constantFrom(...'{}[]:,"\\ \n01-.e9tfn'),
    fc.constantFrom("null", "true", "1e5", "\u0000", "__proto__", "\\u0031"),
    fc.tuple(place, fc.nat(60)).map(([at, length]) =>
      text.slice(at, at + length)
    ),
  );
  const cut = fc.oneof(fc.nat(1), fc.nat(40));
  const edit = fc.record({ at: place, cut, piece });
  return fc.array(edit, { minLength: 1, maxLength: 3 }).map((edits) =>
    edits.reduce(
      (now, { at, cut, piece }) =>
        now.slice(0, at) + piece + now.slice(at + cut),
      text,
    )
  );
}

/** What `JSON.parse` makes of it. */
function plainOf(value: JsonValue): unknown {
  if (typeof value === "string" || typeof value === "number") return value;
  if (!(value instanceof Map)) {
    return (value as readonly JsonValue[]).map(plainOf);
  }
  const fields = [...value].map(([name, item]) => [name, plainOf(item)]);
  return Object.fromEntries(fields);
}

Deno.test("parseJson() takes what JSON.parse() takes, less, and as it does", () => {
  let taken = 0;
  const text = fc.oneof(
    fc.string(),
    fc.json({ maxDepth: 4 }),
    mutated(VALID),
    mutated('{"a":[1,{"b":"c"}],"d":-7}'),
  );
  fc.assert(
    fc.property(text, (text) => {
      try {
        const value = parseJson(text);
        taken += 1;
        assert.deepEqual(plainOf(value), JSON.parse(text));
        assert.equal(
          canonicalJson(parseJson(prettyJson(value))),
          canonicalJson(value),
        );
      } catch (error) {
        assert.ok(error instanceof JsonFault, String(error));
      }
    }),
    RUNS,
  );
  assert.ok(taken > RUNS.numRuns / 20, `only ${taken} get through`);
});

Deno.test("parseJson() takes every value of its own", () => {
  const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.string({ unit: "binary" }),
      fc.maxSafeInteger(),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.uniqueArray(fc.tuple(fc.string(), tie("value")), {
        selector: ([name]) => name,
        maxLength: 4,
      }).map((fields) => new Map(fields)),
    ),
  }));
  fc.assert(
    fc.property(value, (value) => {
      const text = canonicalJson(value);
      assert.equal(canonicalJson(parseJson(text)), text);
    }),
    { numRuns: 300 },
  );
});

Deno.test("parseSidecar() survives any text", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    mutated(VALID),
  );
  fc.assert(
    fc.property(text, (text) => {
      try {
        const found = parseSidecar("f", text);
        const again = parseSidecar("f", formatSidecar(found, found.mac));
        assert.deepEqual(again, found);
      } catch (error) {
        assert.ok(error instanceof SidecarMalformedError, String(error));
        assert.ok(error.message.length < 600);
      }
    }),
    RUNS,
  );
  // So few are whole that random ones may happen to be too few: the same ones
  // each time.
  const taken = fc.sample(text, { ...RUNS, seed: 1 }).filter(isWhole).length;
  assert.ok(taken > RUNS.numRuns / 300, `only ${taken} get through`);
});

function isWhole(text: string): boolean {
  try {
    parseSidecar("f", text);
    return true;
  } catch {
    return false;
  }
}

const bytesOf = (min: number, max: number) =>
  fc.uint8Array({ minLength: min, maxLength: max })
    .map((bytes) => Uint8Array.from(bytes));
const visible = fc.integer({ min: 0x21, max: 0x7e })
  .map((code) => String.fromCharCode(code));
const wrap = fc.record({
  kek: fc.string({ unit: visible, minLength: 1, maxLength: 40 }),
  wrapped: bytesOf(1, 90),
}, { noNullPrototype: true });
const index = fc.maxSafeNat();

function keyOf(purpose: WrappedKey["purpose"]): fc.Arbitrary<WrappedKey> {
  return fc.record({
    id: fc.integer({ min: 1, max: KEY_ID_MAX }),
    purpose: fc.constant(purpose),
    commitment: bytesOf(32, 32),
    createdMs: fc.integer({ min: 0, max: CREATED_MS_MAX }),
    wraps: fc.uniqueArray(wrap, {
      selector: ({ kek }) => kek,
      minLength: 1,
      maxLength: 8,
    }),
  }, { noNullPrototype: true });
}

const content: fc.Arbitrary<SidecarContent> = fc.record({
  lists: fc.tuple(
    fc.array(keyOf("storage"), { minLength: 1, maxLength: 3 }),
    fc.array(keyOf("raft"), { minLength: 1, maxLength: 3 }),
    fc.array(keyOf("state"), { minLength: 1, maxLength: 1 }),
  ).filter((lists) => {
    const ids = lists.flat().map(({ id }) => id);
    return new Set(ids).size === ids.length;
  }),
  indexes: fc.tuple(index, index, index, index),
  clusterId: bytesOf(16, 16),
  node: fc.stringMatching(/^[a-z0-9-]{1,63}$/),
  epoch: fc.nat(0xffff),
}).map(({ lists, indexes, clusterId, node, epoch }) => {
  const [storage, raft, state] = lists.map((list) => list[0]!.id);
  const keys = lists.flat().sort((a, b) => a.id - b.id);
  const [stateIndex, storageCutoverIndex, raftCutoverIndex, lock] = indexes;
  return {
    clusterId,
    node,
    shared: {
      stateIndex,
      keys: new Map(keys.map((key) => [key.id, key])),
      active: { storage: storage!, raft: raft! },
      stateKey: state!,
      storageCutoverIndex,
      raftCutoverIndex,
      cleartextLockIndex: lock,
    },
    epochs: new Map(keys.map(({ id }, i) => [id, (epoch + i) % 0x10000])),
  };
});

Deno.test("every sidecar reads back as it was written", () => {
  fc.assert(
    fc.property(content, bytesOf(32, 32), (content, mac) => {
      const found = parseSidecar("f", formatSidecar(content, mac));
      const { mac: foundMac, text, ...rest } = found;
      assert.deepEqual(rest, content);
      assert.deepEqual(foundMac, mac);
      assert.equal(text, sidecarText(content));
    }),
    { numRuns: 300 },
  );
});

Deno.test("a sidecar that was changed does not open", async () => {
  const { text } = parseSidecar("f", VALID);
  const place = { path: "f", node: "n1", keks: [KEK] };
  let opened = 0;
  await fc.assert(
    fc.asyncProperty(mutated(VALID), async (other) => {
      try {
        const found = parseSidecar("f", other);
        await openSidecar(place, found);
        assert.equal(found.text, text);
        assert.deepEqual(found.clusterId, CLUSTER_ID);
        opened += 1;
      } catch (error) {
        // A changed wrap under a changed name: nobody can tell.
        const isRefusal = error instanceof SidecarMalformedError ||
          error instanceof SidecarTamperedError ||
          error instanceof KekMismatchError;
        assert.ok(isRefusal, String(error));
      }
    }),
    RUNS,
  );
  assert.ok(opened > 0, "spaces do not matter");
});

Deno.test("readSidecar() survives any bytes", async () => {
  const disk = await freshDisk();
  await disk.makeDir(DIR);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      await disk.remove(sidecarPath(DIR));
      const file = await disk.open(sidecarPath(DIR), "create");
      await file.writeAt(0, bytes);
      await file.close();
      await assert.rejects(readSidecar(disk, DIR), SidecarMalformedError);
    }),
    { numRuns: 500 },
  );
});
