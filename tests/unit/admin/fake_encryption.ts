import { NO_ROLLOUT } from "../../../src/fsm/types.ts";
import { PLAN_HASH } from "./fake_node.ts";
import type {
  CapabilityAnswer,
  CapabilityAsk,
  CapabilityFinding,
  EncryptionPort,
  EncryptionRequest,
  EncryptionResult,
  EncryptionStatus,
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

export interface FakeEncryptionOptions {
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
    rolloutState: () => NO_ROLLOUT,
    rewriteProgress: () => Promise.resolve([]),
    async *scanRecords() {},
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
