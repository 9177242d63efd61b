import assert from "node:assert/strict";
import type { ErrorCode } from "../../../../src/base/error_code.ts";
import {
  type EncryptionState,
  NO_ENCRYPTION,
  NO_ROLLOUT,
  type RolloutState,
} from "../../../../src/fsm/types.ts";
import { decideEncryption } from "../../../../src/fsm/encryption.ts";
import type { EncryptionChange } from "../../../../src/fsm/types.ts";
import {
  type EncryptionFacts,
  planEncryption,
} from "../../../../src/node/encryption/change_plan.ts";
import {
  isOneWay,
  isStep,
  stepOutline,
  type StepRequest,
} from "../../../../src/node/encryption/step_plan.ts";
import type { ChangeTerms } from "../../../../src/node/port.ts";
import { EMPTY_STATE } from "../../../../src/store/meta.ts";
import { BOOTSTRAP, CLUSTER, rotation, STATE, STORAGE } from "./changes.ts";

const TERMS: ChangeTerms = {
  dryRun: false,
  planHash: "",
  confirm: "prod",
  accept: [],
};
const NOW = 1_000_000;

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

const ON = { kind: "enable-storage-envelope" } as const;
const LOCK = { kind: "seal-cleartext" } as const;
const RAFT_ON = { kind: "enable-raft-envelope" } as const;
const PHASE_0 = after(BOOTSTRAP);
const PHASE_1 = after(BOOTSTRAP, ON);
const LOCKED = after(BOOTSTRAP, ON, LOCK);
const PHASE_2 = after(BOOTSTRAP, ON, LOCK, RAFT_ON);
const UNLOCKED_2 = after(BOOTSTRAP, ON, RAFT_ON);
const ROTATED = after(BOOTSTRAP, ON, rotation(44));
const RETIRED = after(BOOTSTRAP, ON, rotation(44), {
  kind: "retire-dek",
  keyId: STORAGE,
});
const RUNNING: RolloutState = {
  ...NO_ROLLOUT,
  rewrite: { id: 77, bytesPerSecond: 5, isPaused: false },
};
const PAUSED: RolloutState = {
  ...NO_ROLLOUT,
  rewrite: { id: 77, bytesPerSecond: 5, isPaused: true },
};
const DWELLING: RolloutState = { ...NO_ROLLOUT, dwellUntilMs: NOW + 1 };

function factsOf(
  encryption: EncryptionState,
  rollout = NO_ROLLOUT,
): EncryptionFacts {
  return {
    clusterName: "prod",
    self: { id: 1, name: "n1" },
    term: 5,
    members: [{ id: 1, name: "n1" }, { id: 2, name: "n2" }],
    encryption,
    kekIds: ["file:00"],
    isRegistered: true,
    rollout,
    nowMs: NOW,
  };
}

const START = { kind: "start-rewrite", bytesPerSecond: 9 } as const;
const PAUSE = { kind: "pause-rewrite" } as const;
const RESUME = { kind: "resume-rewrite", bytesPerSecond: null } as const;
const SCRUB = { kind: "scrub", members: [] } as const;
const retire = (keyId: number) => ({ kind: "retire-dek", keyId } as const);
const dwell = (dwellUntilMs: number) =>
  ({ kind: "update-rollout", dwellUntilMs }) as const;

const REFUSED: readonly (readonly [
  code: ErrorCode,
  request: StepRequest,
  facts: EncryptionFacts,
])[] = [
  ["NODE_PHASE_TOO_LOW", START, factsOf(NO_ENCRYPTION)],
  ["NODE_PHASE_TOO_LOW", START, factsOf(PHASE_0)],
  ["NODE_PHASE_TOO_LOW", LOCK, factsOf(PHASE_0)],
  ["NODE_PHASE_TOO_LOW", RAFT_ON, factsOf(PHASE_0)],
  ["NODE_PHASE_TOO_LOW", SCRUB, factsOf(PHASE_0)],
  ["NODE_PHASE_TOO_LOW", SCRUB, factsOf(LOCKED)],
  ["NODE_PHASE_TOO_LOW", SCRUB, factsOf(UNLOCKED_2)],
  ["NODE_MEMBER_UNKNOWN", { ...SCRUB, members: ["n9"] }, factsOf(PHASE_2)],
  ["NODE_CLEARTEXT_UNLOCKED", RAFT_ON, factsOf(PHASE_1)],
  ["NODE_REWRITE_NOT_STARTED", PAUSE, factsOf(PHASE_1)],
  ["NODE_REWRITE_NOT_STARTED", RESUME, factsOf(PHASE_1)],
  ["NODE_NOT_BOOTSTRAPPED", retire(STORAGE), factsOf(NO_ENCRYPTION)],
  ["NODE_KEY_NOT_RETIRABLE", retire(STORAGE), factsOf(PHASE_1)],
  ["NODE_KEY_NOT_RETIRABLE", retire(STATE), factsOf(PHASE_1)],
  ["NODE_KEY_NOT_RETIRABLE", retire(99), factsOf(PHASE_1)],
  ["NODE_DWELL_NOT_OVER", LOCK, factsOf(PHASE_1, DWELLING)],
  ["NODE_DWELL_NOT_OVER", RAFT_ON, factsOf(LOCKED, DWELLING)],
  ["NODE_DWELL_NOT_OVER", retire(STORAGE), factsOf(ROTATED, DWELLING)],
];

REFUSED.forEach(([code, request, facts], i) => {
  Deno.test(`${request.kind} is refused with ${code} (${i})`, () => {
    const terms = { ...TERMS, dryRun: true };
    assert.throws(() => stepOutline(request, terms, facts), { code });
  });
});

const NEEDED: readonly (readonly [
  request: StepRequest,
  facts: EncryptionFacts,
  step: RegExp,
])[] = [
  [ON, factsOf(NO_ENCRYPTION), /^draw a storage, a raft and a state key/],
  [ON, factsOf(PHASE_0), /^seal every record/],
  [ON, factsOf(PHASE_0, DWELLING), /^never go back/],
  [START, factsOf(PHASE_1), /at 9 bytes a second on each$/],
  [START, factsOf(PHASE_1, RUNNING), /^re-seal on "n1", "n2"/],
  [PAUSE, factsOf(PHASE_1, RUNNING), /rest on every member$/],
  [RESUME, factsOf(PHASE_1, PAUSED), /at 5 bytes a second/],
  [
    { ...RESUME, bytesPerSecond: 0 },
    factsOf(PHASE_1, RUNNING),
    /at any rate$/,
  ],
  [LOCK, factsOf(PHASE_1), /^count on "n1", "n2"/],
  [RAFT_ON, factsOf(LOCKED), /^let writes wait/],
  [retire(STORAGE), factsOf(ROTATED), /^forget key 11 for ever/],
  [SCRUB, factsOf(PHASE_2, DWELLING), /store of "n1", "n2" anew/],
  [
    { ...SCRUB, members: ["n2"] },
    factsOf(PHASE_2),
    /^make the store of "n2" anew/,
  ],
  [dwell(NOW + 5), factsOf(PHASE_0), /wait until 1970-01-01T00:16:40.005Z$/],
  [dwell(0), factsOf(PHASE_0, DWELLING), /wait no longer$/],
];

NEEDED.forEach(([request, facts, step], i) => {
  Deno.test(`${request.kind} says what it does (${i})`, () => {
    const { isNeeded, index, steps } = stepOutline(request, TERMS, facts);
    assert.deepEqual([isNeeded, index], [true, 0]);
    assert.ok(steps.some((line) => step.test(line)), steps.join("\n"));
  });
});

const DONE: readonly (readonly [
  request: StepRequest,
  facts: EncryptionFacts,
  index: number,
])[] = [
  [ON, factsOf(PHASE_2), 11],
  [LOCK, factsOf(PHASE_2, DWELLING), 12],
  [RAFT_ON, factsOf(PHASE_2, DWELLING), 13],
  [RAFT_ON, factsOf(UNLOCKED_2), 12],
  [retire(STORAGE), factsOf(RETIRED, DWELLING), 0],
  [PAUSE, factsOf(PHASE_1, PAUSED), 77],
  [RESUME, factsOf(PHASE_1, RUNNING), 77],
  [{ ...RESUME, bytesPerSecond: 5 }, factsOf(PHASE_1, RUNNING), 77],
  [dwell(0), factsOf(PHASE_0), 0],
  [dwell(NOW + 1), factsOf(PHASE_0, DWELLING), 0],
];

DONE.forEach(([request, facts, index], i) => {
  Deno.test(`${request.kind} names what did it before (${i})`, () => {
    // Without a confirmation: nothing is left to confirm.
    const terms = { ...TERMS, confirm: "" };
    const planned = planEncryption(request, terms, facts);
    assert.deepEqual([planned.isNeeded, planned.index], [false, index]);
    assert.equal(planned.plan.steps.length, 1);
  });
});

Deno.test("risks can be taken", () => {
  const both = { ...TERMS, accept: ["unrewritten", "short-dwell"] };
  const facts = factsOf(PHASE_1, DWELLING);
  assert.ok(stepOutline(RAFT_ON, both, facts).isNeeded);
  for (
    const [one, code] of [
      ["unrewritten", "NODE_DWELL_NOT_OVER"],
      ["short-dwell", "NODE_CLEARTEXT_UNLOCKED"],
    ] as const
  ) {
    const terms = { ...TERMS, accept: [one] };
    assert.throws(() => stepOutline(RAFT_ON, terms, facts), { code });
  }
});

Deno.test("a dwell is over at its end", () => {
  const facts = factsOf(PHASE_1, { ...NO_ROLLOUT, dwellUntilMs: NOW });
  assert.ok(stepOutline(LOCK, TERMS, facts).isNeeded);
});

const ONE_WAY: readonly (readonly [StepRequest, EncryptionFacts])[] = [
  [ON, factsOf(PHASE_0)],
  [LOCK, factsOf(PHASE_1)],
  [RAFT_ON, factsOf(LOCKED)],
  [retire(STORAGE), factsOf(ROTATED)],
];

for (const [request, facts] of ONE_WAY) {
  Deno.test(`${request.kind} wants the cluster's name, not for a plan`, () => {
    for (const confirm of ["", "Prod"]) {
      const terms = { ...TERMS, confirm };
      assert.throws(() => planEncryption(request, terms, facts), {
        code: "NODE_CONFIRMATION_WRONG",
      });
    }
    const dry = { ...TERMS, confirm: "", dryRun: true };
    assert.ok(planEncryption(request, dry, facts).isNeeded);
    assert.ok(planEncryption(request, TERMS, facts).isNeeded);
    assert.ok(isOneWay(request));
  });
}

Deno.test("nothing else wants it", () => {
  for (const request of [START, PAUSE, RESUME, SCRUB, dwell(1)]) {
    assert.ok(!isOneWay(request));
    assert.ok(isStep(request));
  }
  const keys = { kind: "rotate-dek", purpose: "raft" } as const;
  assert.ok(!isOneWay(keys) && !isStep(keys));
});

Deno.test("a plan is another one after the rollout changed", () => {
  const hashes = [NO_ROLLOUT, RUNNING, PAUSED, DWELLING].map((rollout) =>
    planEncryption(START, TERMS, factsOf(PHASE_1, rollout)).plan.hash
  );
  assert.equal(new Set(hashes).size, hashes.length);
  const later = { ...factsOf(PHASE_1), nowMs: NOW + 9 };
  assert.equal(planEncryption(START, TERMS, later).plan.hash, hashes[0]);
});
