import assert from "node:assert/strict";
import type { KeyWrap, WrappedKey } from "../../../src/base/data_key.ts";
import {
  brokenChangeRule,
  brokenKeyRule,
  brokenNodeRule,
  brokenWrapsRule,
  isAscending,
  isEpoch,
  isKeyId,
  isNatural,
} from "../../../src/fsm/encryption_rules.ts";
import type { EncryptionChange } from "../../../src/fsm/types.ts";
import {
  EVERY_KIND,
  FIRST_KEYS,
  keyOf,
  NODE_A,
  register,
  retire,
  rewrap,
  rotate,
  wrapOf,
} from "./encryption_fixtures.ts";

const MAX = 2 ** 32 - 1;

function many(count: number): readonly KeyWrap[] {
  return Array.from({ length: count }, (_, i) => wrapOf(`kek:${i}`));
}

const FINE: readonly (readonly [what: string, change: Partial<WrappedKey>])[] =
  [
    ["id 1", { id: 1 }],
    ["id 2^32 - 1", { id: MAX }],
    ["a time of 0", { createdMs: 0 }],
    ["a time of 2^53 - 1", { createdMs: Number.MAX_SAFE_INTEGER }],
    ["8 wraps", { wraps: many(8) }],
    ["a KEK id of 1", { wraps: [wrapOf("!")] }],
    ["a KEK id of 512", { wraps: [wrapOf("~".repeat(512))] }],
    ["a wrap of 1", { wraps: [{ kek: "k", wrapped: new Uint8Array(1) }] }],
    ["a wrap of 1,024", {
      wraps: [{ kek: "k", wrapped: new Uint8Array(1_024) }],
    }],
  ];
for (const [what, change] of FINE) {
  Deno.test(`brokenKeyRule() takes ${what}`, () => {
    const key = keyOf(1, "raft", change);
    assert.equal(brokenKeyRule(key), null);
    assert.equal(brokenWrapsRule(key.wraps), null);
    assert.equal(
      brokenChangeRule({ kind: "rotate-dek", key, replaces: 1 }),
      null,
    );
  });
}

const BROKEN: readonly (readonly [
  what: string,
  change: Partial<WrappedKey>,
  rule: RegExp,
])[] = [
  ["id 0", { id: 0 }, /u32/],
  ["id 2^32", { id: MAX + 1 }, /u32/],
  ["id 1.5", { id: 1.5 }, /u32/],
  ["a commitment of 31", { commitment: new Uint8Array(31) }, /commitment/],
  ["a commitment of 33", { commitment: new Uint8Array(33) }, /commitment/],
  ["a time of 2^53", { createdMs: 2 ** 53 }, /2\^53/],
  ["a time below 0", { createdMs: -1 }, /2\^53/],
  ["no wraps", { wraps: [] }, /1 to 8 wraps/],
  ["9 wraps", { wraps: many(9) }, /1 to 8 wraps/],
  ["a KEK without an id", { wraps: [wrapOf("")] }, /1 to 512/],
  ["a KEK id of 513", { wraps: [wrapOf("a".repeat(513))] }, /1 to 512/],
  ["a KEK id with a space", { wraps: [wrapOf("a b")] }, /visible/],
  ["a KEK id with a line break", { wraps: [wrapOf("a\n")] }, /visible/],
  ["a KEK id that is not ASCII", { wraps: [wrapOf("ü")] }, /visible/],
  [
    "an empty wrap",
    { wraps: [{ kek: "k", wrapped: new Uint8Array(0) }] },
    /1,?024/,
  ],
  [
    "a wrap of 1,025",
    { wraps: [{ kek: "k", wrapped: new Uint8Array(1_025) }] },
    /1024/,
  ],
  [
    "a KEK twice",
    { wraps: [wrapOf("a"), wrapOf("b"), wrapOf("a")] },
    /one wrap/,
  ],
];
for (const [what, change, rule] of BROKEN) {
  Deno.test(`brokenKeyRule() names the rule that ${what} breaks`, () => {
    const key = keyOf(1, "raft", change);
    assert.match(brokenKeyRule(key) ?? "", rule);
    const inBootstrap: EncryptionChange = {
      kind: "bootstrap",
      keys: [keyOf(2, "state"), key],
    };
    assert.match(brokenChangeRule(inBootstrap) ?? "", rule);
    const inRotation: EncryptionChange = {
      kind: "rotate-dek",
      key,
      replaces: 1,
    };
    assert.match(brokenChangeRule(inRotation) ?? "", rule);
    if (change.wraps === undefined) return;
    assert.match(brokenWrapsRule(change.wraps) ?? "", rule);
    const wraps = new Map([[1, [wrapOf()]], [2, change.wraps]]);
    const inRewrap: EncryptionChange = { kind: "rewrap-deks", wraps };
    assert.match(brokenChangeRule(inRewrap) ?? "", rule);
  });
}

function claims(count: number): EncryptionChange {
  const ids = Array.from({ length: count }, (_, i) => [i + 1, 1] as const);
  return register(NODE_A, ...ids);
}

const CHANGES: readonly (readonly [
  what: string,
  change: EncryptionChange,
  rule: RegExp | null,
])[] = [
  ...Object.values(EVERY_KIND).map((change) =>
    [`a ${change.kind}`, change, null] as const
  ),
  ["a node id of 1", register(1n, [1, 1]), null],
  ["a node id of 2^64 - 1", register(2n ** 64n - 1n, [1, 1]), null],
  ["a node id of 0", register(0n, [1, 1]), /u64/],
  ["a node id of 2^64", register(2n ** 64n, [1, 1]), /u64/],
  ["no claims", register(NODE_A), /1 to 128/],
  ["128 claims", claims(128), null],
  ["129 claims", claims(129), /1 to 128/],
  ["a claim of key 0", register(NODE_A, [0, 1]), /u32/],
  ["a claim of key 2^32", register(NODE_A, [MAX + 1, 1]), /u32/],
  ["epoch 0", register(NODE_A, [1, 0]), null],
  ["epoch 65,535", register(NODE_A, [1, 65_535]), null],
  ["epoch 65,536", register(NODE_A, [1, 65_536]), /epoch/],
  ["epoch -1", register(NODE_A, [1, -1]), /epoch/],
  ["a claim twice", register(NODE_A, [1, 1], [2, 1], [1, 2]), /once/],
  ["claims in any order", register(NODE_A, [2, 1], [1, 2]), null],
  ["no first keys", { kind: "bootstrap", keys: [] }, null],
  [
    "4 first keys",
    { kind: "bootstrap", keys: [...FIRST_KEYS, keyOf(9, "raft")] },
    /at most 3/,
  ],
  ["to replace key 0", rotate(1, "raft", 0), /u32/],
  ["to replace key 2^32", rotate(1, "raft", MAX + 1), /u32/],
  ["wraps for no key", rewrap(), null],
  ["wraps for key 0", rewrap(0), /u32/],
  ["wraps for 128 keys", rewrap(...ids(128)), null],
  ["wraps for 129 keys", rewrap(...ids(129)), /at most 128/],
  ["to retire key 2^32 - 1", retire(MAX), null],
  ["to retire key 0", retire(0), /u32/],
  ["to retire key 2^32", retire(MAX + 1), /u32/],
];

function ids(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

for (const [what, change, rule] of CHANGES) {
  const does = rule === null ? "takes" : "refuses";
  Deno.test(`brokenChangeRule() ${does} ${what}`, () => {
    const broken = brokenChangeRule(change);
    if (rule === null) assert.equal(broken, null);
    else assert.match(broken ?? "", rule);
  });
}

Deno.test("isKeyId(), isEpoch() and isNatural() end where they should", () => {
  assert.deepEqual([0, 1, MAX, MAX + 1, 0.5, NaN].map(isKeyId), [
    false,
    true,
    true,
    false,
    false,
    false,
  ]);
  assert.deepEqual([-1, 0, 65_535, 65_536].map(isEpoch), [
    false,
    true,
    true,
    false,
  ]);
  assert.deepEqual([-1, 0, 2 ** 53 - 1, 2 ** 53, NaN].map(isNatural), [
    false,
    true,
    true,
    false,
    false,
  ]);
  assert.equal(brokenNodeRule(NODE_A), null);
});

Deno.test("isAscending() wants every id above the one before", () => {
  const lists: [number[], boolean][] = [
    [[], true],
    [[5], true],
    [[1, 2, 2 ** 31, MAX], true],
    [[1, 1], false],
    [[2, 1], false],
    [[1, 3, 2], false],
  ];
  for (const [list, expected] of lists) {
    assert.equal(isAscending(list), expected, list.join());
  }
});
