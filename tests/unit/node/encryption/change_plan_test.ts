import assert from "node:assert/strict";
import type { WrappedKey } from "../../../../src/base/data_key.ts";
import type { NodeError } from "../../../../src/base/error.ts";
import { decideEncryption } from "../../../../src/fsm/encryption.ts";
import {
  type EncryptionChange,
  type EncryptionState,
  NO_ENCRYPTION,
  NO_ROLLOUT,
} from "../../../../src/fsm/types.ts";
import { KekUnknownError } from "../../../../src/keys/errors.ts";
import {
  type EncryptionFacts,
  type KeyRequest,
  planEncryption,
} from "../../../../src/node/encryption/change_plan.ts";
import type { ChangeTerms } from "../../../../src/node/port.ts";
import { EMPTY_STATE } from "../../../../src/store/meta.ts";
import {
  BOOTSTRAP,
  CLUSTER,
  RAFT,
  registrationOf,
  rotation,
  STATE,
  STORAGE,
} from "./changes.ts";

const TERMS: ChangeTerms = {
  dryRun: false,
  planHash: "",
  confirm: "",
  accept: [],
};
const KEK = "file:00";
const NEXT = "file:11";
const THIRD = "file:22";

function after(...changes: readonly EncryptionChange[]): EncryptionState {
  let encryption = NO_ENCRYPTION;
  changes.forEach((change, i) => {
    const fsm = { ...EMPTY_STATE.fsm, clusterId: CLUSTER, encryption };
    const decision = decideEncryption(fsm, i + 10, change);
    assert.ok(decision.kind === "taken");
    encryption = decision.next;
  });
  return encryption;
}

function factsOf(given: Partial<EncryptionFacts> = {}): EncryptionFacts {
  return {
    clusterName: "prod",
    self: { id: 1, name: "n1" },
    term: 5,
    members: [{ id: 1, name: "n1" }, { id: 2, name: "n2" }],
    encryption: after(BOOTSTRAP),
    kekIds: [KEK, NEXT],
    isRegistered: true,
    rollout: NO_ROLLOUT,
    nowMs: 1_000,
    ...given,
  };
}

function wrapsUnder(...keks: readonly string[]): EncryptionChange {
  const wraps: WrappedKey["wraps"] = keks.map((kek) => ({
    kek,
    wrapped: new Uint8Array(60),
  }));
  const ids = [STORAGE, RAFT, STATE];
  return { kind: "rewrap-deks", wraps: new Map(ids.map((id) => [id, wraps])) };
}

const ROTATE = { kind: "rotate-dek", purpose: "storage" } as const;
const REWRAP = { kind: "rewrap-deks", keks: [] } as const;
const REGISTER = { kind: "register-writer" } as const;
const FIRST = { kind: "bootstrap" } as const;
const ASK = /^ask "n1", "n2" to prove that they can use encryption$/;

interface Expected {
  readonly isNeeded: boolean;
  readonly index: number;
  readonly steps: readonly RegExp[];
}

const done = (index: number, step: RegExp): Expected => ({
  ...{ isNeeded: false, index, steps: [step] },
});
const needed = (...steps: readonly RegExp[]): Expected => ({
  ...{ isNeeded: true, index: 0, steps },
});

const ROWS: [
  name: string,
  request: KeyRequest,
  given: Partial<EncryptionFacts>,
  expected: Expected,
][] = [
  [
    "first keys",
    FIRST,
    { encryption: NO_ENCRYPTION },
    needed(ASK, /^draw a .* wrapped under file:00, file:11$/, /^seal nothing/),
  ],
  ["first keys again", FIRST, {}, done(10, /since entry 10$/)],
  [
    "first keys after others",
    FIRST,
    { encryption: after(BOOTSTRAP, rotation(44)) },
    done(10, /since entry 10$/),
  ],
  [
    "a storage key",
    ROTATE,
    {},
    needed(ASK, /^draw a storage key in the place of 11$/, /^keep the old one/),
  ],
  [
    "a raft key",
    { kind: "rotate-dek", purpose: "raft" },
    { encryption: after(BOOTSTRAP, rotation(44)) },
    needed(ASK, /^draw a raft key in the place of 22$/, /^keep/),
  ],
  [
    "a storage key again",
    ROTATE,
    { encryption: after(BOOTSTRAP, rotation(44)) },
    needed(ASK, /in the place of 44$/, /^keep/),
  ],
  [
    "wraps under the KEK that they are under",
    REWRAP,
    {},
    done(0, /^every key is wrapped under file:00 alone$/),
  ],
  [
    "the same by name",
    { ...REWRAP, keks: [KEK] },
    { kekIds: [NEXT, KEK] },
    done(0, /under file:00 alone$/),
  ],
  [
    "the same twice by name",
    { ...REWRAP, keks: [KEK, KEK] },
    {},
    done(0, /under file:00 alone$/),
  ],
  [
    "wraps under another primary KEK",
    REWRAP,
    { kekIds: [NEXT, KEK] },
    needed(
      /^ask "n1", "n2" to prove that they have one of file:11$/,
      /^wrap 3 keys under file:11 and nothing else$/,
    ),
  ],
  [
    "wraps under two",
    { ...REWRAP, keks: [NEXT, KEK, NEXT] },
    {},
    needed(/one of file:11, file:00$/, /under file:11, file:00 and nothing/),
  ],
  [
    "wraps under two that are there, in another order",
    { ...REWRAP, keks: [NEXT, KEK] },
    { encryption: after(BOOTSTRAP, wrapsUnder(KEK, NEXT)) },
    done(0, /under file:11, file:00 alone$/),
  ],
  [
    "wraps under one of two",
    { ...REWRAP, keks: [NEXT] },
    { encryption: after(BOOTSTRAP, wrapsUnder(KEK, NEXT)) },
    needed(/one of file:11$/, /under file:11 and nothing else$/),
  ],
  [
    "wraps of a key that came later",
    { ...REWRAP, keks: [NEXT] },
    { encryption: after(BOOTSTRAP, wrapsUnder(NEXT), rotation(44)) },
    needed(/one of file:11$/, /^wrap 4 keys under file:11/),
  ],
  ["sessions that are known", REGISTER, {}, done(0, /"n1" are registered$/)],
  [
    "sessions that are not",
    REGISTER,
    { isRegistered: false },
    needed(/^register the epochs of "n1"$/),
  ],
];

for (const [name, request, given, expected] of ROWS) {
  Deno.test(`planEncryption() plans ${name}`, () => {
    const facts = factsOf(given);
    const { plan, isNeeded, index } = planEncryption(request, TERMS, facts);
    assert.deepEqual([isNeeded, index], [expected.isNeeded, expected.index]);
    assert.equal(plan.steps.length, expected.steps.length);
    expected.steps.forEach((step, i) => assert.match(plan.steps[i]!, step));
    const terms = { ...TERMS, planHash: plan.hash };
    assert.deepEqual(planEncryption(request, terms, facts).plan, plan);
  });
}

const REFUSED: [
  name: string,
  request: KeyRequest,
  given: Partial<EncryptionFacts>,
  code: string,
][] = [
  ...[ROTATE, REWRAP, REGISTER].map((
    request,
  ): (typeof REFUSED)[number] => [
    `${request.kind} without keys`,
    request,
    { encryption: NO_ENCRYPTION, isRegistered: false },
    "NODE_NOT_BOOTSTRAPPED",
  ]),
  ["a key under no KEK of those", ROTATE, {
    kekIds: [NEXT],
  }, "KEYS_KEK_UNKNOWN"],
  ["a key under one KEK of two", ROTATE, {
    encryption: after(BOOTSTRAP, wrapsUnder(KEK, THIRD)),
  }, "KEYS_KEK_UNKNOWN"],
  [
    "wraps under a KEK that is not here",
    { ...REWRAP, keks: [KEK, THIRD] },
    {},
    "KEYS_KEK_UNKNOWN",
  ],
];
for (const [name, request, given, code] of REFUSED) {
  Deno.test(`planEncryption() plans no ${name}`, () => {
    assert.throws(
      () => planEncryption(request, TERMS, factsOf(given)),
      (error: NodeError) => error.code === code && error.remedy !== "",
    );
  });
}

Deno.test("planEncryption() names the KEK that this node lacks", () => {
  const encryption = after(BOOTSTRAP, wrapsUnder(KEK, THIRD));
  const plan = () => planEncryption(ROTATE, TERMS, factsOf({ encryption }));
  assert.throws(plan, (error) => {
    assert.ok(error instanceof KekUnknownError);
    assert.deepEqual([error.kek, error.kekIds], [THIRD, [KEK, NEXT]]);
    return true;
  });
});

function hashOf(
  given: Partial<EncryptionFacts> = {},
  request: KeyRequest = ROTATE,
): string {
  return planEncryption(request, TERMS, factsOf(given)).plan.hash;
}

const OTHERS: [name: string, hash: () => string][] = [
  ["cluster", () => hashOf({ clusterName: "test" })],
  ["leader", () => hashOf({ self: { id: 2, name: "n2" } })],
  ["term", () => hashOf({ term: 6 })],
  ["members", () => hashOf({ members: [{ id: 1, name: "n1" }] })],
  [
    "member's id",
    () => hashOf({ members: [{ id: 1, name: "n1" }, { id: 9, name: "n2" }] }),
  ],
  [
    "member's name",
    () => hashOf({ members: [{ id: 1, name: "n1" }, { id: 2, name: "n3" }] }),
  ],
  ["keys", () => hashOf({ encryption: after(BOOTSTRAP, rotation(44)) })],
  ["wraps", () => hashOf({ encryption: after(BOOTSTRAP, wrapsUnder(KEK)) })],
  ["purpose", () => hashOf({}, { kind: "rotate-dek", purpose: "raft" })],
  ["request", () => hashOf({}, REWRAP)],
  ["KEKs", () => hashOf({}, { ...REWRAP, keks: [KEK] })],
  ["first keys", () => hashOf({}, FIRST)],
  ["sessions", () => hashOf({}, REGISTER)],
];

Deno.test("a plan's hash is of whatever makes it another one", () => {
  const hashes = [hashOf(), ...OTHERS.map(([, hash]) => hash())];
  assert.equal(new Set(hashes).size, hashes.length);
  for (const hash of hashes) assert.match(hash, /^[0-9a-f]{16}$/);
});

Deno.test("a plan's hash is of nothing else", () => {
  const encryption = after(BOOTSTRAP, registrationOf("n1", 3));
  assert.equal(hashOf({ encryption }), hashOf(), "sessions come and go");
  assert.equal(hashOf({ isRegistered: false }), hashOf());
  const terms = { dryRun: true, planHash: "", confirm: "x", accept: ["y"] };
  const { plan } = planEncryption(ROTATE, terms, factsOf());
  assert.equal(plan.hash, hashOf());
});

for (const [name, hash] of OTHERS) {
  Deno.test(`planEncryption() takes no hash of a plan with another ${name}`, () => {
    const terms = { ...TERMS, planHash: hash() };
    assert.throws(
      () => planEncryption(ROTATE, terms, factsOf()),
      { code: "NODE_PLAN_STALE" },
    );
  });
}

Deno.test("a stale hash is told before anything else", () => {
  const facts = factsOf({ encryption: NO_ENCRYPTION });
  const terms = { ...TERMS, planHash: "0123456789abcdef" };
  assert.throws(
    () => planEncryption(ROTATE, terms, facts),
    { code: "NODE_PLAN_STALE" },
  );
});
