import { NO_ROLLOUT, type RolloutState } from "../../../src/fsm/types.ts";
import { PLAN_HASH } from "./fake_node.ts";
import type {
  CapabilityAnswer,
  CapabilityAsk,
  CapabilityFinding,
  EncryptionPort,
  EncryptionRequest,
  EncryptionResult,
  EncryptionStatus,
  MemberScan,
  MemberTask,
} from "../../../src/node/encryption_port.ts";
import type { ChangeTerms } from "../../../src/node/port.ts";

const CLUSTER_ID = Uint8Array.from({ length: 16 }, (_, i) => i);

export const ENCRYPTION: EncryptionStatus = {
  node: "n1",
  clusterId: CLUSTER_ID,
  applied: 812_344,
  phase: 0,
  stateIndex: 2 ** 53 - 1,
  storageCutoverIndex: 0,
  raftCutoverIndex: 0,
  cleartextLockIndex: 0,
  keys: [{
    id: 305_419_896,
    purpose: "storage",
    isActive: true,
    createdMs: 1_745_920_800_000,
    createdIndex: 184_201,
    deactivatedIndex: 0,
    keks: ["file:3f2a91d0c4b7e865"],
    writers: [{
      member: "n1",
      fullNodeId: 0x08b37b07b558d4c0n,
      firstEpoch: 1,
      lastEpoch: 7,
    }],
  }, {
    id: 2 ** 32 - 1,
    purpose: "raft",
    isActive: true,
    createdMs: 1_745_920_800_000,
    createdIndex: 184_201,
    deactivatedIndex: 0,
    keks: ["file:3f2a91d0c4b7e865"],
    writers: [],
  }, {
    id: 77,
    purpose: "state",
    isActive: false,
    createdMs: 1_745_920_800_000,
    createdIndex: 184_201,
    deactivatedIndex: 0,
    keks: ["file:3f2a91d0c4b7e865"],
    writers: [],
  }],
  retired: [4_000_000_000],
  own: {
    isEnabled: true,
    gaps: [],
    kekIds: ["file:3f2a91d0c4b7e865"],
    sidecarIndex: 184_201,
    epochs: [{ keyId: 305_419_896, epoch: 7 }],
  },
};

/** An encryption port that does as it is told and keeps what it is asked. */
export interface FakeEncryption extends EncryptionPort {
  readonly asked: { request: EncryptionRequest; terms: ChangeTerms }[];
  readonly challenged: CapabilityAsk[];
}

export const RUNNING: MemberTask = {
  member: "n1",
  state: "running",
  done: 5,
  total: 10,
  bytes: 2 ** 40,
  elapsedMs: 1_500,
  failure: "",
};

export const ROLLOUT: RolloutState = {
  rewrite: { id: 184_300, bytesPerSecond: 8_388_608, isPaused: true },
  dwellUntilMs: 1_745_924_400_000,
  events: [{
    index: 184_202,
    atMs: 1_745_920_800_000,
    actor: "ana@laptop",
    action: "enable-storage-envelope",
    planHash: PLAN_HASH,
    result: "done",
    entry: 184_201,
    detail: "",
  }, {
    index: 184_310,
    atMs: 1_745_920_900_000,
    actor: "10.0.0.9",
    action: "seal-cleartext",
    planHash: PLAN_HASH,
    result: "refused",
    entry: 0,
    detail: "NODE_CLEARTEXT_REMAINS",
  }],
};

export interface FakeEncryptionOptions {
  readonly rollout?: RolloutState;
  readonly rewriteProgress?: EncryptionPort["rewriteProgress"];
  readonly scanRecords?: EncryptionPort["scanRecords"];
  readonly changeUnderWay?: EncryptionPort["changeUnderWay"];
  readonly status?: EncryptionStatus;
  readonly change?: (
    request: EncryptionRequest,
    terms: ChangeTerms,
  ) => EncryptionResult | Promise<EncryptionResult>;
  readonly findings?: readonly CapabilityFinding[];
  readonly answer?: CapabilityAnswer;
}

export function fakeEncryption(
  options: FakeEncryptionOptions = {},
): FakeEncryption {
  const { status = ENCRYPTION, change = changed, findings = [] } = options;
  const { answer = STATEMENT } = options;
  const asked: FakeEncryption["asked"] = [];
  const challenged: CapabilityAsk[] = [];
  return {
    asked,
    challenged,
    encryptionStatus: () => Promise.resolve(status),
    answerCapability(ask) {
      challenged.push(ask);
      return Promise.resolve(answer);
    },
    askCapabilities: () => Promise.resolve(findings),
    async changeEncryption(request, terms) {
      asked.push({ request, terms });
      return await change(request, terms);
    },
    rolloutState: () => options.rollout ?? NO_ROLLOUT,
    rewriteProgress: options.rewriteProgress ?? (() => Promise.resolve([])),
    changeUnderWay: options.changeUnderWay ?? (() => null),
    scanRecords: options.scanRecords ?? scanned,
    exportEncryptionState: () => ({
      clusterId: status.clusterId,
      applied: status.applied,
      state: Uint8Array.of(1, 2, 3),
    }),
  };
}

export const STATEMENT: CapabilityAnswer = {
  statement: Uint8Array.of(8, 1),
  proof: new Uint8Array(32).fill(7),
};

/** Two looks at members that count, or at n1 and n2. */
export async function* scanned(
  members: readonly string[],
): AsyncGenerator<readonly MemberScan[]> {
  const names = members.length === 0 ? ["n1", "n2"] : members;
  const running = names.map((member) => ({ ...RUNNING, member, counts: null }));
  yield running;
  const counts = { cleartext: 3, sealed: new Map([[9, 4], [7, 2 ** 50]]) };
  yield running.map((task) => ({ ...task, state: "done", counts }));
}

/** A plan of one line; carried out unless it is a dry run. */
export function changed(
  { kind }: EncryptionRequest,
  { dryRun }: ChangeTerms,
): EncryptionResult {
  return {
    plan: { hash: PLAN_HASH, steps: [`${kind} it`] },
    isChanged: !dryRun,
    index: dryRun ? 0 : 184_273,
    unreachable: ["n3"],
  };
}
