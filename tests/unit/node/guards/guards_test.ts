import assert from "node:assert/strict";
import type { ErrorCode } from "../../../../src/base/error_code.ts";
import { NO_ENCRYPTION } from "../../../../src/fsm/types.ts";
import type { GuardFacts } from "../../../../src/node/guards/facts.ts";
import {
  allFindings,
  firstRefusal,
  GUARDS,
  refusalBefore,
} from "../../../../src/node/guards/guards.ts";
import {
  APPLIED,
  CLUSTER,
  ENCRYPTION,
  failed,
  HEALTHY,
  known,
  OTHER_CLUSTER,
  RAFT_KEY,
  SIDECAR,
  STORAGE_KEY,
  withSidecar,
  withStore,
  writerRow,
  writersOf,
} from "./facts.ts";

/** Two names whose ids share their low 16 bits. */
const TWINS = ["m445", "m870"] as const;

interface Fault {
  readonly guard: string;
  readonly code: ErrorCode;
  readonly spoil: (facts: GuardFacts) => GuardFacts;
}

function fault(
  guard: string,
  code: ErrorCode,
  spoil: Fault["spoil"],
): Fault {
  return { guard, code, spoil };
}

/** A new data dir, told to found a cluster of these members. */
function foundingOf(founders: readonly string[]): GuardFacts {
  return {
    ...{ ...HEALTHY, founders, sidecar: known(null) },
    ...{ identity: known(null), log: known(null), store: known(null) },
  };
}

/** One for each guard, in the order in which they are to speak. */
const FAULTS: readonly Fault[] = [
  fault("DataDirLocked", "NODE_DATA_DIR_LOCKED", (facts) => ({
    ...facts,
    isLocked: true,
  })),
  fault("WrongCluster", "NODE_WRONG_CLUSTER", (facts) => ({
    ...facts,
    log: known({ node: "n1", clusterId: OTHER_CLUSTER }),
  })),
  fault("WrongNode", "NODE_WRONG_NODE", (facts) => ({
    ...facts,
    identity: known("n2"),
  })),
  fault("SidecarPresentWithoutFlag", "NODE_SIDECAR_WITHOUT_FLAG", (facts) => ({
    ...facts,
    isEnabled: false,
  })),
  fault("KekRequired", "NODE_KEK_REQUIRED", (facts) => ({
    ...facts,
    kekCount: 0,
  })),
  fault("InsecureKekFile", "KEYS_KEK_INSECURE", (facts) => ({
    ...facts,
    keks: failed("KEYS_KEK_INSECURE"),
  })),
  fault("KekUnavailable", "KEYS_KEK_UNAVAILABLE", (facts) => ({
    ...facts,
    custody: failed("KEYS_KEK_UNAVAILABLE"),
  })),
  fault(
    "UnsupportedFilesystem",
    "KEYS_FILESYSTEM_UNSUPPORTED",
    (facts) => ({
      ...facts,
      filesystem: failed("KEYS_FILESYSTEM_UNSUPPORTED"),
    }),
  ),
  fault("SidecarMissing", "NODE_SIDECAR_MISSING", (facts) => ({
    ...facts,
    sidecar: known(null),
  })),
  fault("SidecarMalformed", "KEYS_SIDECAR_MALFORMED", (facts) => ({
    ...facts,
    sidecar: failed("KEYS_SIDECAR_MALFORMED"),
  })),
  fault("KekMismatch", "KEYS_KEK_MISMATCH", (facts) => ({
    ...facts,
    custody: failed("KEYS_KEK_MISMATCH"),
  })),
  fault("SidecarTampered", "KEYS_SIDECAR_TAMPERED", (facts) => ({
    ...facts,
    custody: failed("KEYS_SIDECAR_TAMPERED"),
  })),
  fault("StoreStateTampered", "STORE_STATE_TAMPERED", (facts) => ({
    ...facts,
    storeMac: failed("STORE_STATE_TAMPERED"),
  })),
  fault(
    "LocalEpochExhausted",
    "KEYS_EPOCH_EXHAUSTED",
    (facts) =>
      withSidecar(facts, {
        epochs: new Map([[STORAGE_KEY, 3], [RAFT_KEY, 0xffff]]),
      }),
  ),
  fault(
    "NodeIdCollision",
    "NODE_ID_COLLISION",
    (facts) => withStore(facts, () => ({ members: ["n1", ...TWINS] })),
  ),
  fault(
    "SidecarBehindRaftLog",
    "NODE_SIDECAR_BEHIND",
    (facts) =>
      withStore(facts, ({ encryption }) => ({
        encryption: { ...encryption, stateIndex: 91 },
      })),
  ),
  fault(
    "EnvelopeCutoverDivergence",
    "NODE_CUTOVER_DIVERGENCE",
    (facts) =>
      withStore(facts, ({ encryption }) => ({
        encryption: { ...encryption, raftCutoverIndex: 0 },
      })),
  ),
  fault(
    "LocalEpochRollback",
    "NODE_EPOCH_ROLLBACK",
    (facts) =>
      withStore(facts, () => ({ sessionEpochs: new Map([[STORAGE_KEY, 4]]) })),
  ),
  fault("PartUnreadable", "STORE_ROW_DAMAGED", (facts) => ({
    ...facts,
    checkpoint: failed("STORE_ROW_DAMAGED"),
  })),
];

const codeOf = (error: { readonly code: ErrorCode } | null) =>
  error === null ? null : error.code;

Deno.test("GUARDS stand in the order of the operators' table", async () => {
  assert.deepEqual(
    GUARDS.map(({ name }) => name),
    FAULTS.map(({ guard }) => guard),
  );
  const page = await Deno.readTextFile(
    new URL("../../../../docs/startup_guards.md", import.meta.url),
  );
  const rows = [...page.matchAll(/^\| `(\w+)` +\|/gm)].map(([, name]) => name);
  assert.deepEqual(rows, GUARDS.map(({ name }) => name));
});

Deno.test("firstRefusal() lets a node start that was stopped in order", () => {
  assert.equal(firstRefusal(HEALTHY), null);
  const verdicts = new Set(allFindings(HEALTHY).map((one) => one.verdict));
  assert.deepEqual([...verdicts], ["passed"]);
});

for (const { guard, code, spoil } of FAULTS) {
  Deno.test(`${guard} refuses with ${code} and a remedy`, () => {
    const facts = spoil(HEALTHY);
    const error = firstRefusal(facts);
    assert.equal(codeOf(error), code);
    assert.notEqual(error?.remedy, "");
    assert.doesNotMatch(error?.message ?? "", /\n|undefined|\[object/);
    const refused = allFindings(facts).filter(({ verdict }) =>
      verdict === "refused"
    );
    assert.deepEqual(refused.map((one) => one.guard), [guard]);
    assert.equal(refusalBefore(guard, facts), null);
  });
}

/** No state of the world has both. */
const EXCLUSIVE = [
  ["SidecarPresentWithoutFlag", "KekRequired"],
  ["SidecarPresentWithoutFlag", "SidecarMissing"],
  ["SidecarMissing", "SidecarMalformed"],
  ["KekMismatch", "SidecarTampered"],
  ["KekUnavailable", "KekMismatch"],
  ["KekUnavailable", "SidecarTampered"],
  // A sidecar that cannot be read has no indexes and no epochs.
  ...["SidecarMissing", "SidecarMalformed"].flatMap((guard) =>
    FAULTS.slice(13).map((later) => [guard, later.guard])
  ),
];

for (const [at, first] of FAULTS.entries()) {
  for (const second of FAULTS.slice(at + 1)) {
    const both = first.spoil(second.spoil(HEALTHY));
    const refused = allFindings(both).filter(({ verdict }) =>
      verdict === "refused"
    ).map(({ guard }) => guard);
    const isExclusive = EXCLUSIVE.some(([a, b]) =>
      a === first.guard && b === second.guard
    ) && !(refused.includes(first.guard) && refused.includes(second.guard));
    if (isExclusive) continue;
    Deno.test(`${first.guard} speaks before ${second.guard}`, () => {
      assert.deepEqual(
        refused.filter((guard) => [first.guard, second.guard].includes(guard)),
        [first.guard, second.guard],
      );
      assert.equal(codeOf(firstRefusal(both)), first.code);
    });
  }
}

Deno.test("firstRefusal() does not trip over what is unknown", () => {
  const unread = { kind: "unread" } as const;
  const facts: GuardFacts = {
    ...{ dataDir: "/d", node: "n1", isEnabled: true, kekCount: 1 },
    ...{ isLocked: true, founders: [] },
    ...{ identity: unread, log: unread, sidecar: unread, keks: unread },
    ...{ filesystem: unread, store: unread, custody: unread },
    ...{ storeMac: unread, checkpoint: unread },
  };
  assert.equal(codeOf(firstRefusal(facts)), "NODE_DATA_DIR_LOCKED");
  const others = allFindings(facts).slice(1).map(({ verdict }) => verdict);
  assert.deepEqual(new Set(others), new Set(["unchecked", "passed"]));
});

/** States that are beside a refused one, and must start. */
const NEIGHBOURS: Record<string, GuardFacts> = {
  "a new data dir": {
    ...HEALTHY,
    ...{ isEnabled: false, kekCount: 0 },
    identity: known(null),
    log: known(null),
    sidecar: known(null),
    store: known(null),
  },
  "no encryption at all": {
    ...withStore(HEALTHY, () => ({
      encryption: NO_ENCRYPTION,
      sessionEpochs: new Map(),
    })),
    ...{ isEnabled: false, kekCount: 0 },
    sidecar: known(null),
  },
  "flag and KEK before bootstrap": {
    ...withStore(HEALTHY, () => ({
      encryption: NO_ENCRYPTION,
      sessionEpochs: new Map(),
    })),
    sidecar: known(null),
  },
  "a crash between sidecar and store at bootstrap": withStore(
    HEALTHY,
    () => ({
      appliedIndex: 49,
      encryption: NO_ENCRYPTION,
      sessionEpochs: new Map(),
    }),
  ),
  "a crash between sidecar and store at a cutover": withStore(
    HEALTHY,
    ({ encryption }) => ({
      appliedIndex: 79,
      encryption: { ...encryption, stateIndex: 70, raftCutoverIndex: 0 },
    }),
  ),
  "a sidecar from a checkpoint before its store": withStore(
    HEALTHY,
    () => ({
      ...{ appliedIndex: 0, clusterId: null, members: [] },
      encryption: NO_ENCRYPTION,
      sessionEpochs: new Map(),
    }),
  ),
  "a checkpoint of before the cutovers": {
    ...HEALTHY,
    checkpoint: known({
      ...{ path: "/d/checkpoints/x", index: 40 },
      encryption: NO_ENCRYPTION,
    }),
  },
  "a received checkpoint of after a cutover here": {
    ...withStore(
      withSidecar(HEALTHY, {
        shared: { ...ENCRYPTION, stateIndex: 70, raftCutoverIndex: 0 },
      }),
      ({ encryption }) => ({
        appliedIndex: 75,
        encryption: { ...encryption, stateIndex: 70, raftCutoverIndex: 0 },
      }),
    ),
    checkpoint: known({
      ...{ path: "/d/checkpoints/x", index: APPLIED },
      encryption: ENCRYPTION,
    }),
  },
  "an epoch above the registered one": withStore(
    HEALTHY,
    ({ encryption }) => ({
      encryption: {
        ...encryption,
        writers: writersOf(writerRow(STORAGE_KEY, 2), writerRow(RAFT_KEY, 3)),
      },
    }),
  ),
  "a rebuilt node whose old epochs are registered": {
    ...withStore(HEALTHY, () => ({
      ...{ appliedIndex: 0, clusterId: null, members: [] },
      encryption: NO_ENCRYPTION,
      sessionEpochs: new Map(),
    })),
    sidecar: known(null),
    log: known({ node: "n1", clusterId: CLUSTER }),
  },
  "a spent epoch of a key that is not active": withSidecar(HEALTHY, {
    epochs: new Map([[STORAGE_KEY, 3], [RAFT_KEY, 3], [44, 0xffff]]),
  }),
  "a later epoch of another member": withStore(
    HEALTHY,
    ({ encryption }) => ({
      encryption: {
        ...encryption,
        writers: writersOf(writerRow(STORAGE_KEY, 900, "n2")),
      },
    }),
  ),
  "two members of one id without encryption": {
    ...withStore(HEALTHY, () => ({
      members: ["n1", ...TWINS],
      encryption: NO_ENCRYPTION,
      sessionEpochs: new Map(),
    })),
    ...{ isEnabled: false, kekCount: 0 },
    sidecar: known(null),
  },
  "founders of one id who are not members any more": {
    ...HEALTHY,
    founders: ["n1", ...TWINS],
  },
  "founders of one id without encryption": {
    ...foundingOf(["n1", ...TWINS]),
    ...{ isEnabled: false, kekCount: 0 },
  },
};
for (const [name, facts] of Object.entries(NEIGHBOURS)) {
  Deno.test(`firstRefusal() lets ${name} start`, () => {
    assert.equal(firstRefusal(facts)?.message, undefined);
  });
}

const MORE: [name: string, code: ErrorCode, facts: GuardFacts][] = [
  ["a sidecar of another cluster", "NODE_WRONG_CLUSTER", {
    ...withSidecar(HEALTHY, { clusterId: OTHER_CLUSTER }),
  }],
  ["a sidecar in an empty data dir", "NODE_WRONG_CLUSTER", {
    ...HEALTHY,
    ...{ identity: known(null), log: known(null), store: known(null) },
  }],
  [
    "founders of one id",
    "NODE_ID_COLLISION",
    foundingOf(["n1", ...TWINS]),
  ],
  ["a sidecar of another node", "NODE_WRONG_NODE", {
    ...withSidecar(HEALTHY, { node: "n2" }),
  }],
  ["a log of another node without identity", "NODE_WRONG_NODE", {
    ...HEALTHY,
    identity: known(null),
    log: known({ node: "n2", clusterId: CLUSTER }),
  }],
  ["a sidecar that does not parse, flag off", "NODE_SIDECAR_WITHOUT_FLAG", {
    ...{ ...HEALTHY, isEnabled: false },
    sidecar: failed("KEYS_SIDECAR_MALFORMED"),
  }],
  ["a KEK that cannot be loaded", "KEYS_KEK_SOURCE_INVALID", {
    ...HEALTHY,
    keks: failed("KEYS_KEK_SOURCE_INVALID"),
  }],
  ["a missing sidecar, flag off", "NODE_SIDECAR_MISSING", {
    ...{ ...HEALTHY, isEnabled: false, kekCount: 0 },
    sidecar: known(null),
  }],
  ["sessions without keys and sidecar", "NODE_SIDECAR_MISSING", {
    ...withStore(HEALTHY, () => ({ encryption: NO_ENCRYPTION })),
    sidecar: known(null),
  }],
  ["a wrap that holds another key", "KEYS_COMMITMENT_MISMATCH", {
    ...HEALTHY,
    custody: failed("KEYS_COMMITMENT_MISMATCH"),
  }],
  ["a predecessor with this node's 16 bits", "NODE_ID_COLLISION", {
    ...withStore(
      withSidecar({ ...HEALTHY, node: TWINS[0], identity: known(TWINS[0]) }, {
        node: TWINS[0],
      }),
      ({ encryption }) => ({
        members: [TWINS[0]],
        encryption: {
          ...encryption,
          writers: writersOf(writerRow(STORAGE_KEY, 1, TWINS[1])),
        },
      }),
    ),
  }],
  ["a checkpoint of another history", "NODE_CUTOVER_DIVERGENCE", {
    ...HEALTHY,
    checkpoint: known({
      ...{ path: "/d/checkpoints/x", index: 100 },
      encryption: { ...ENCRYPTION, storageCutoverIndex: 61 },
    }),
  }],
  ["an equal index with another active key", "NODE_CUTOVER_DIVERGENCE", {
    ...withSidecar(HEALTHY, {
      shared: { ...SIDECAR.shared, active: { storage: 12, raft: RAFT_KEY } },
    }),
  }],
  ["an equal index with another commitment", "NODE_CUTOVER_DIVERGENCE", {
    ...withSidecar(HEALTHY, {
      shared: {
        ...SIDECAR.shared,
        keys: new Map([...SIDECAR.shared.keys].map(([id, key]) => [
          id,
          { ...key, commitment: new Uint8Array(32) },
        ])),
      },
    }),
  }],
  ["an equal index with other wraps", "NODE_CUTOVER_DIVERGENCE", {
    ...withSidecar(HEALTHY, {
      shared: {
        ...SIDECAR.shared,
        keys: new Map([...SIDECAR.shared.keys].map(([id, key]) => [
          id,
          { ...key, wraps: [] },
        ])),
      },
    }),
  }],
  ["an epoch below the registered one", "NODE_EPOCH_ROLLBACK", {
    ...withStore(HEALTHY, ({ encryption }) => ({
      encryption: {
        ...encryption,
        writers: writersOf(writerRow(RAFT_KEY, 4)),
      },
    })),
  }],
  ["a store that cannot be read", "STORE_VERSION_UNSUPPORTED", {
    ...HEALTHY,
    store: failed("STORE_VERSION_UNSUPPORTED"),
  }],
];
for (const [name, code, facts] of MORE) {
  Deno.test(`firstRefusal() refuses ${name}`, () => {
    assert.equal(codeOf(firstRefusal(facts)), code);
  });
}

Deno.test("remedies name this data dir and this node", () => {
  const facts = { ...HEALTHY, dataDir: "/srv/data dir", node: "n1" };
  const remedies = FAULTS.map(({ guard, spoil }) =>
    [guard, firstRefusal(spoil(facts))?.remedy ?? ""] as const
  );
  const ofGuard = new Map(remedies);
  const resync =
    /`sealkv encryption resync-sidecar --data-dir '\/srv\/data dir' --kek URI`/;
  assert.match(ofGuard.get("SidecarMissing") ?? "", resync);
  assert.match(ofGuard.get("SidecarBehindRaftLog") ?? "", resync);
  assert.match(
    ofGuard.get("EnvelopeCutoverDivergence") ?? "",
    /`sealkv member rebuild n1 --data-dir '\/srv\/data dir' --admin ADDR`/,
  );
  assert.match(
    ofGuard.get("KekRequired") ?? "",
    /`sealkv serve --node n1 --data-dir '\/srv\/data dir' --encryption-enabled/,
  );
});
