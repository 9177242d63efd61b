import type {
  ClusterEncryption,
  ClusterKey,
  ClusterRewrite,
  ClusterTask,
  EncryptionOutcome,
  MemberEncryption,
} from "../../../../src/admin/client.ts";
import { AdminUnreachableError } from "../../../../src/admin/errors.ts";
import { PLAN_HASH } from "../cluster.ts";
import type { AskedEncryptionChange } from "../fake_services.ts";

export const KEK = "file:3f2a91d0c4b7e865";

export const STORAGE_KEY: ClusterKey = {
  id: 305_419_896,
  purpose: "storage",
  isActive: true,
  createdMs: 1_745_920_800_000n,
  createdIndex: 184_201n,
  deactivatedIndex: 0n,
  keks: [KEK],
  writers: [
    {
      member: "n1",
      fullNodeId: 0x08b37b07b558d4c0n,
      firstEpoch: 1,
      lastEpoch: 7,
    },
    {
      member: "",
      fullNodeId: 0x08b37b07b558d4c1n,
      firstEpoch: 0,
      lastEpoch: 0,
    },
  ],
};

export const RAFT_KEY: ClusterKey = {
  ...STORAGE_KEY,
  id: 4_294_967_295,
  purpose: "raft",
  keks: [KEK, "aws-kms:arn:aws:kms:eu-central-1:111122223333:key/1234abcd"],
  writers: [],
};

export const STATE_KEY: ClusterKey = {
  ...RAFT_KEY,
  id: 77,
  purpose: "state",
  isActive: false,
  keks: [KEK],
};

const OF_N1: ClusterEncryption = {
  node: "n1",
  clusterId: "00010203-0405-0607-0809-0a0b0c0d0e0f",
  applied: 184_300n,
  phase: 0,
  stateIndex: 184_201n,
  storageCutoverIndex: 0n,
  raftCutoverIndex: 0n,
  cleartextLockIndex: 0n,
  keys: [STATE_KEY, STORAGE_KEY, RAFT_KEY],
  retired: [],
  own: {
    isEnabled: true,
    gaps: [],
    kekIds: [KEK],
    sidecarIndex: 184_201n,
    epochs: [{ keyId: 305_419_896, epoch: 7 }],
  },
};

/** What member `node` says, like n1 but for what is given. */
export function answerOf(
  node: string,
  given: Partial<ClusterEncryption> = {},
): MemberEncryption {
  const encryption = { ...OF_N1, node, ...given };
  return { member: node, encryption, failure: null };
}

/** A member without the flag, in a cluster without keys. */
export function plainAnswerOf(node: string): MemberEncryption {
  return answerOf(node, {
    stateIndex: 0n,
    keys: [],
    own: {
      isEnabled: false,
      gaps: ["encryption is off on this node: start it with its flag"],
      kekIds: [],
      sidecarIndex: 0n,
      epochs: [],
    },
  });
}

export function silenceOf(node: string): MemberEncryption {
  const failure = new AdminUnreachableError([`http://${node}:4514`]);
  return { member: node, encryption: null, failure };
}

/** Answers every change with a plan of one step. */
export function encryptionChanged(
  { kind, options }: AskedEncryptionChange,
): EncryptionOutcome {
  const isDryRun = options.dryRun === true;
  return {
    plan: { hash: PLAN_HASH, steps: [`${kind} it`] },
    changed: !isDryRun,
    index: isDryRun ? 0n : 184_273n,
    unreachable: [],
  };
}

export const JOB: ClusterRewrite = {
  id: 184_300n,
  bytesPerSecond: 8_388_608n,
  isPaused: false,
};

/** A member half-way through a hundred records. */
export function taskOf(
  member: string,
  given: Partial<ClusterTask> = {},
): ClusterTask {
  return {
    member,
    state: "running",
    done: 50n,
    total: 100n,
    bytes: 2_097_152n,
    elapsedMs: 2_000n,
    failure: "",
    ...given,
  };
}
