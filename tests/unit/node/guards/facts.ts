import type { ErrorCode } from "../../../../src/base/error_code.ts";
import { NodeError } from "../../../../src/base/error.ts";
import type { WrappedKey } from "../../../../src/base/data_key.ts";
import { fullNodeId, node16Of } from "../../../../src/base/identity.ts";
import {
  type EncryptionState,
  type KeyEntry,
  NO_ENCRYPTION,
  writerId,
  type WriterRow,
} from "../../../../src/fsm/types.ts";
import type {
  GuardFacts,
  Reading,
  SidecarFacts,
  StoreFacts,
} from "../../../../src/node/guards/facts.ts";

export const CLUSTER = new Uint8Array(16).fill(7);
export const OTHER_CLUSTER = new Uint8Array(16).fill(8);
export const STORAGE_KEY = 11;
export const RAFT_KEY = 22;
export const STATE_KEY = 33;
/** The last change of keys; the cutovers lie below it. */
export const STATE_INDEX = 90;
export const APPLIED = 120;

/** Stands for what a provider or the file of keys reports. */
export class ReportedError extends NodeError {
  override readonly remedy = "none";

  constructor(override readonly code: ErrorCode) {
    super(`Cannot go on: ${code}`);
  }
}

export function known<Value>(value: Value): Reading<Value> {
  return { kind: "known", value };
}

export function failed(code: ErrorCode) {
  return { kind: "failed", error: new ReportedError(code) } as const;
}

function keyEntry(id: number, purpose: WrappedKey["purpose"]): KeyEntry {
  return {
    id,
    purpose,
    commitment: new Uint8Array(32).fill(id),
    createdMs: 1_000,
    wraps: [{ kek: "file:00", wrapped: new Uint8Array(60).fill(id) }],
    createdIndex: 50,
    deactivatedIndex: 0,
  };
}

export function writerRow(
  keyId: number,
  lastEpoch: number,
  name = "n1",
): WriterRow {
  const id = fullNodeId(name);
  const node16 = node16Of(id);
  return { keyId, node16, fullNodeId: id, firstEpoch: 1, lastEpoch };
}

export function writersOf(...rows: readonly WriterRow[]) {
  return new Map(rows.map((row) => [writerId(row.keyId, row.node16), row]));
}

/** A cluster in phase 2 whose node n1 has begun its third epoch. */
export const ENCRYPTION: EncryptionState = {
  ...NO_ENCRYPTION,
  stateIndex: STATE_INDEX,
  keys: new Map([
    [STORAGE_KEY, keyEntry(STORAGE_KEY, "storage")],
    [RAFT_KEY, keyEntry(RAFT_KEY, "raft")],
    [STATE_KEY, keyEntry(STATE_KEY, "state")],
  ]),
  active: { storage: STORAGE_KEY, raft: RAFT_KEY },
  stateKey: STATE_KEY,
  storageCutoverIndex: 60,
  raftCutoverIndex: 80,
  cleartextLockIndex: 70,
  writers: writersOf(writerRow(STORAGE_KEY, 3), writerRow(RAFT_KEY, 3)),
};

export const SIDECAR: SidecarFacts = {
  clusterId: CLUSTER,
  node: "n1",
  shared: ENCRYPTION,
  epochs: new Map([[STORAGE_KEY, 3], [RAFT_KEY, 3], [STATE_KEY, 3]]),
};

export const STORE: StoreFacts = {
  appliedIndex: APPLIED,
  clusterId: CLUSTER,
  encryption: ENCRYPTION,
  members: ["n1", "n2", "n3"],
  sessionEpochs: new Map([[STORAGE_KEY, 3]]),
};

/** A node that was stopped in order, and may start again. */
export const HEALTHY: GuardFacts = {
  dataDir: "/d",
  node: "n1",
  founders: ["n1", "n2", "n3"],
  isEnabled: true,
  kekCount: 1,
  isLocked: false,
  identity: known("n1"),
  log: known({ node: "n1", clusterId: CLUSTER }),
  sidecar: known(SIDECAR),
  keks: known(["file:00"]),
  filesystem: known("fit"),
  store: known(STORE),
  custody: known("opened"),
  storeMac: known("holds"),
  checkpoint: known(null),
};

export function withSidecar(
  facts: GuardFacts,
  change: Partial<SidecarFacts>,
): GuardFacts {
  const { sidecar } = facts;
  return sidecar.kind === "known" && sidecar.value !== null
    ? { ...facts, sidecar: known({ ...sidecar.value, ...change }) }
    : facts;
}

export function withStore(
  facts: GuardFacts,
  change: (store: StoreFacts) => Partial<StoreFacts>,
): GuardFacts {
  const { store } = facts;
  return store.kind === "known" && store.value !== null
    ? {
      ...facts,
      store: known({ ...store.value, ...change(store.value) }),
    }
    : facts;
}
