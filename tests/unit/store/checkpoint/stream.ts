import { type Bytes, concatBytes, utf8 } from "../../../../src/base/bytes.ts";
import {
  type Member,
  NO_ENCRYPTION,
  NO_ROLLOUT,
} from "../../../../src/fsm/types.ts";
import type { CheckpointFile } from "../../../../src/store/checkpoint/read.ts";
import type {
  CheckpointRecord,
  CheckpointSource,
} from "../../../../src/store/checkpoint/source.ts";
import {
  writeCheckpoint,
  type WriteCheckpointOptions,
} from "../../../../src/store/checkpoint/write.ts";
import type { CheckpointState } from "../../../../src/store/meta.ts";
import { deriveCheckpointKey } from "../../../../src/crypto/checkpoint_cipher.ts";
import { importDek } from "../../../../src/crypto/dek.ts";
import type { StreamKeys } from "../../../../src/store/checkpoint/sealed_chunks.ts";
import { SimRandom } from "../../../sim/io/random.ts";
import { encryptionOf } from "../encryption_model.ts";

const MEMBER: Member = {
  id: 1,
  name: "n1",
  peerAddress: "10.0.0.1:4513",
  clientAddress: "10.0.0.1:4512",
  adminAddress: "[::1]:4514",
  diskId: new Uint8Array(16).fill(9),
  protocolVersion: 1,
  promoteWhenCaughtUp: false,
};

/** A state in which every field says something. */
export const STATE: CheckpointState = {
  applied: { index: 184_273, term: 7 },
  confState: {
    voters: [1, 2],
    votersOutgoing: [1],
    learners: [12],
    learnersNext: [2],
    autoLeave: true,
  },
  fsm: {
    clockMs: 1_700_000_000_000,
    clusterId: new Uint8Array(16).fill(0xab),
    clusterName: "prod",
    databases: new Map([["orders", 2], ["größen", 300]]),
    encryption: NO_ENCRYPTION,
    rollout: NO_ROLLOUT,
    members: new Map([[1, MEMBER], [12, {
      ...{ ...MEMBER, id: 12, name: "n12", diskId: null, protocolVersion: 0 },
      ...{ clientAddress: "", adminAddress: "", promoteWhenCaughtUp: true },
    }]]),
  },
};

/** As `STATE`, after the storage cutover. */
export const SEALED_STATE: CheckpointState = {
  ...STATE,
  fsm: {
    ...STATE.fsm,
    encryption: encryptionOf(184_273, { storageCutoverIndex: 184_201 }),
  },
};

/** Keys of streams from a storage key whose bytes are all `fill`. */
export function streamKeysOf(fill: number): StreamKeys {
  return {
    streamKey: async (stream) => {
      const dek = await importDek(new Uint8Array(32).fill(fill));
      return await deriveCheckpointKey(dek, stream);
    },
  };
}

/** Records of every kind, in the order of rows. */
export const RECORDS: readonly CheckpointRecord[] = [
  record(1, utf8("a"), 0, 1),
  record(1, utf8("b"), 40, 3, 1_700_000_000_123),
  record(1, Uint8Array.from({ length: 2_070 }, () => 99), 3, 3),
  record(2, utf8("a"), 8, 2),
  record(2, utf8("sum"), 65_536, 3),
  record(300, Uint8Array.of(0, 255, 0), 7, 1, 1),
];

function record(
  database: number,
  key: Uint8Array,
  bytes: number,
  encoding: 1 | 2 | 3,
  expireAtMs = 0,
): CheckpointRecord {
  return {
    ...{ database, key, expireAtMs },
    value: { data: new Uint8Array(bytes).fill(bytes), encoding },
    versionstamp: Uint8Array.of(0, 0, 0, 0, 0, 0, 1, database, 0, 3),
  };
}

export function sourceOf(
  state: CheckpointState,
  records: readonly CheckpointRecord[],
): CheckpointSource {
  return {
    state,
    async *records() {
      for (let at = 0; at < records.length; at += 2) {
        yield records.slice(at, at + 2);
      }
    },
    close: () => Promise.resolve(),
  };
}

/** The stream of these, with a salt that `seed` decides. */
export async function streamOf(
  state: CheckpointState,
  records: readonly CheckpointRecord[],
  options: Partial<WriteCheckpointOptions> & { readonly seed?: number } = {},
): Promise<Bytes> {
  const parts: Bytes[] = [];
  const write = async (bytes: Uint8Array) => void parts.push(bytes.slice());
  const { seed = 1, ...rest } = options;
  const random = new SimRandom(seed);
  await writeCheckpoint(sourceOf(state, records), { write }, {
    ...{ random, ...rest },
  });
  return concatBytes(...parts);
}

/** Where the header ends and each chunk starts and ends. */
export function partsOf(stream: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(stream.buffer, stream.byteOffset);
  let at = 12 + view.getUint32(8) + 32;
  const parts = [stream.subarray(0, at)];
  while (at < stream.length) {
    const until = at + 4 + view.getUint32(at);
    parts.push(stream.subarray(at, until));
    at = until;
  }
  return parts;
}

export function fileOf(bytes: Uint8Array, path = "test.ckpt"): CheckpointFile {
  return {
    path,
    size: () => Promise.resolve(bytes.length),
    readAt: (offset, length) =>
      Promise.resolve(bytes.slice(offset, offset + length)),
  };
}
