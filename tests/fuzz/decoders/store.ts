import {
  decodeRollout,
  encodeRollout,
  ROLLOUT_ROW_BYTES_MAX,
} from "../../../src/store/rollout_row.ts";
import { ROLLOUTS } from "../../unit/store/rollout_model.ts";
import {
  type Bytes,
  concatBytes,
  equalBytes,
  viewOf,
} from "../../../src/base/bytes.ts";
import { crc32c } from "../../../src/base/crc32c.ts";
import {
  decodeEncryption,
  encodeEncryption,
  ENCRYPTION_ROWS_BYTES_MAX,
} from "../../../src/store/encryption_row.ts";
import {
  StoreRecordDamagedError,
  StoreRecordSealedError,
  StoreRowDamagedError,
  StoreVersionUnsupportedError,
} from "../../../src/store/errors.ts";
import {
  decodeMembers,
  encodeMembers,
  MEMBERS_ROW_BYTES_MAX,
} from "../../../src/store/members_row.ts";
import {
  decodeDatabase,
  decodeMarker,
  decodeMeta,
  EMPTY_STATE,
  encodeDatabase,
  encodeMarker,
  encodeMeta,
} from "../../../src/store/meta.ts";
import {
  encodeRecord,
  openRecord,
  readRecordRow,
} from "../../../src/store/record.ts";
import {
  CleartextSealer,
  RECORD_HEADER_BYTES,
} from "../../../src/store/sealer.ts";
import {
  decodeSession,
  encodeSession,
} from "../../../src/store/session_row.ts";
import {
  encryptionOf,
  longEncryptionOf,
  macOf,
  withEncryption,
} from "../../unit/store/encryption_model.ts";
import { memberOf } from "../../unit/store/store_model.ts";
import { type Decoder, only, type Verdict } from "../run/decoder.ts";
import { edited } from "../run/inputs.ts";
import type { Rng } from "../run/rng.ts";

const refuses = only(StoreRowDamagedError, StoreVersionUnsupportedError);
const ROW_BYTES_MAX = 65_536;
const PART_AT = 4;
const SESSION = { keyId: 305_419_896, node16: 0xd4c0, epoch: 7 };
const SESSION_CRC_AT = 33;

/** Gives changed bytes the checksum of all before their last four. */
function withChecksum(bytes: Bytes): Bytes {
  const until = bytes.length - 4;
  if (until < 0) return bytes;
  viewOf(bytes).setUint32(until, crc32c(bytes.subarray(0, until)));
  return bytes;
}

/** A session's place is under its checksum, too. */
function withSessionChecksum(bytes: Bytes): Bytes {
  if (bytes.length < SESSION_CRC_AT + 4) return bytes;
  const place = new Uint8Array(8);
  viewOf(place).setUint32(0, SESSION.keyId);
  viewOf(place).setUint16(4, SESSION.node16);
  viewOf(place).setUint16(6, SESSION.epoch);
  const crc = crc32c(bytes.subarray(0, SESSION_CRC_AT), crc32c(place));
  viewOf(bytes).setUint32(SESSION_CRC_AT, crc);
  return bytes;
}

const META = {
  ...EMPTY_STATE,
  applied: { index: 77, term: 3 },
  confState: {
    ...EMPTY_STATE.confState,
    voters: [1, 2, 3],
    learnersNext: [4],
    autoLeave: true,
  },
  fsm: {
    ...EMPTY_STATE.fsm,
    clusterName: "prod",
    clusterId: new Uint8Array(16).fill(9),
  },
};

/** Rows behind each other, each with its length: one input. */
function joined(rows: readonly Uint8Array[]): Bytes {
  return concatBytes(...rows.flatMap((row) => {
    const length = new Uint8Array(PART_AT);
    viewOf(length).setUint32(0, row.length);
    return [length, row];
  }));
}

function parted(bytes: Bytes): readonly Bytes[] {
  const rows: Bytes[] = [];
  for (let at = 0; at < bytes.length;) {
    const isCut = at + PART_AT > bytes.length;
    const length = isCut ? 0 : viewOf(bytes).getUint32(at);
    rows.push(bytes.subarray(at + PART_AT, at + PART_AT + length));
    at += PART_AT + length;
  }
  return rows;
}

const STATES = [longEncryptionOf(9, 3), longEncryptionOf(9, 2), encryptionOf(9)]
  .map((encryption) =>
    encodeEncryption({ encryption, encryptionMac: macOf(1) })
  );
const PARTS = STATES.flat();
const SHORT_STATE = STATES[2] as readonly Bytes[];

/** Rows of several states in any order, some of them changed; seldom long. */
function shuffled(rng: Rng): Bytes {
  const isLong = rng.once(200);
  const whole = isLong ? rng.pick(STATES) : SHORT_STATE;
  const rows = whole.slice(0, rng.below(whole.length + 1));
  for (let more = rng.below(3); more > 0; more -= 1) {
    const part = isLong ? rng.pick(PARTS) : rng.pick(SHORT_STATE);
    const bytes = rng.once(2) ? part : withChecksum(edited([part], rng, 1));
    rows.splice(rng.below(rows.length + 1), rng.below(2), bytes);
  }
  return joined(rows);
}

const SEALER = new CleartextSealer();
const PLACE = { database: 1, key: Uint8Array.of(2, 97, 0) };
const { row: RECORD } = await encodeRecord(SEALER, PLACE, {
  value: { data: new Uint8Array(40).fill(1), encoding: 2 },
  versionstamp: new Uint8Array(10).fill(3),
  expireAtMs: 99,
});

/** Seals the changed header and data of a record anew. */
function withRecordChecksum(bytes: Bytes): Bytes {
  const until = bytes.length - SEALER.overheadBytes;
  if (until < RECORD_HEADER_BYTES) return bytes;
  const data = bytes.slice(RECORD_HEADER_BYTES, until);
  SEALER.seal(bytes, RECORD_HEADER_BYTES, PLACE, data);
  return bytes;
}

async function decodeRecord(bytes: Bytes): Promise<Verdict> {
  // The backing store has no longer rows.
  if (bytes.length > ROW_BYTES_MAX) return null;
  const at = { database: PLACE.database, bytes: PLACE.key, hash: null };
  const record = await openRecord(SEALER, readRecordRow(at, bytes), null);
  return (await encodeRecord(SEALER, PLACE, record)).row;
}

export const STORE_DECODERS: readonly Decoder[] = [
  {
    name: "store encryption row",
    bytesMax: ROW_BYTES_MAX,
    valid: [
      encodeEncryption({
        encryption: encryptionOf(9),
        encryptionMac: macOf(1),
      })[0] as Bytes,
    ],
    repair: withChecksum,
    heapPerByte: 256,
    decode: (bytes) => encodeEncryption(decodeEncryption([bytes]))[0] as Bytes,
    refuses,
  },
  {
    name: "store encryption rows in parts",
    bytesMax: ENCRYPTION_ROWS_BYTES_MAX,
    valid: [joined(SHORT_STATE)],
    near: shuffled,
    heapPerByte: 256,
    decode: (bytes) => {
      const rows = parted(bytes);
      const again = joined(encodeEncryption(decodeEncryption(rows)));
      // A length of the last row past the end is of no row.
      const isWhole = equalBytes(joined(rows), bytes);
      if (!isWhole && !equalBytes(joined(rows), again)) throw new Error("form");
      return isWhole ? again : "taken";
    },
    refuses,
  },
  {
    name: "store session row",
    bytesMax: 37,
    valid: [encodeSession({ ...SESSION, salt: new Uint8Array(32).fill(5) })],
    repair: withSessionChecksum,
    heapPerByte: 8,
    decode: (bytes) => encodeSession(decodeSession(bytes, SESSION)),
    refuses,
  },
  {
    name: "store meta row",
    bytesMax: ROW_BYTES_MAX,
    valid: [
      encodeMeta(META),
      encodeMeta(EMPTY_STATE),
      encodeMeta(withEncryption(META, encryptionOf(1))),
    ],
    repair: withChecksum,
    heapPerByte: 16,
    decode: (bytes) => {
      const { state, hasEncryption } = decodeMeta(bytes, new Map());
      return encodeMeta(
        hasEncryption ? withEncryption(state, encryptionOf(1)) : state,
      );
    },
    refuses,
  },
  {
    name: "store marker row",
    bytesMax: 13,
    valid: [encodeMarker({ next: 1, count: 2 })],
    repair: withChecksum,
    heapPerByte: 8,
    decode: (bytes) => encodeMarker(decodeMarker(bytes)),
    refuses,
  },
  {
    name: "store database row",
    bytesMax: 1_028,
    valid: [encodeDatabase("größen", 2), encodeDatabase("", 2)],
    repair: (bytes) => {
      const until = bytes.length - 4;
      if (until < 0) return bytes;
      const number = Uint8Array.of(0, 0, 0, 2);
      const crc = crc32c(bytes.subarray(0, until), crc32c(number));
      viewOf(bytes).setUint32(until, crc);
      return bytes;
    },
    heapPerByte: 16,
    decode: (bytes) => encodeDatabase(decodeDatabase(bytes, 2), 2),
    refuses,
  },
  {
    name: "store members row",
    bytesMax: MEMBERS_ROW_BYTES_MAX,
    valid: [
      encodeMembers(new Map()),
      encodeMembers(
        new Map([[1, memberOf(1, "n1:4701")], [2, {
          ...memberOf(2),
          diskId: new Uint8Array(16).fill(1),
          promoteWhenCaughtUp: true,
        }]]),
      ),
    ],
    repair: withChecksum,
    heapPerByte: 32,
    decode: (bytes) => encodeMembers(decodeMembers(bytes)),
    refuses,
  },
  {
    name: "store rollout row",
    bytesMax: ROLLOUT_ROW_BYTES_MAX,
    valid: ROLLOUTS.map(encodeRollout),
    repair: withChecksum,
    heapPerByte: 256,
    decode: (bytes) => encodeRollout(decodeRollout(bytes)),
    refuses,
  },
  {
    name: "store record row",
    bytesMax: ROW_BYTES_MAX,
    valid: [RECORD],
    repair: withRecordChecksum,
    heapPerByte: 16,
    decode: decodeRecord,
    refuses: only(StoreRecordDamagedError, StoreRecordSealedError),
  },
];
