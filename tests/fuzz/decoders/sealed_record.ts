import { type Bytes, equalBytes } from "../../../src/base/bytes.ts";
import {
  StoreRecordDamagedError,
  StoreRecordIntegrityError,
  StoreRowDamagedError,
  StoreVersionUnsupportedError,
} from "../../../src/store/errors.ts";
import {
  decodeNoCleartext,
  encodeNoCleartext,
} from "../../../src/store/no_cleartext.ts";
import {
  encodeRecord,
  openRecord,
  readRecordRow,
} from "../../../src/store/record.ts";
import { RecordSealing } from "../../../src/store/sealing.ts";
import type { SessionRow } from "../../../src/store/session_row.ts";
import { CLUSTER_ID, putAt, sealedAt } from "../../unit/store/sealed_model.ts";
import { TestRecordKeys } from "../../unit/store/test_record_keys.ts";
import { type Decoder, only, type Verdict } from "../run/decoder.ts";

const ROW_BYTES_MAX = 65_536;
const STATE = sealedAt(12);
const sessions: SessionRow[] = [];
const SEALING = new RecordSealing({
  keys: new TestRecordKeys(CLUSTER_ID),
  findSession: ({ keyId, node16, epoch }) =>
    Promise.resolve(
      sessions.find((row) =>
        row.keyId === keyId && row.node16 === node16 && row.epoch === epoch
      ) ?? null,
    ),
  insertSession: (row) => Promise.resolve(sessions.push(row) > 0),
  state: () => STATE,
});
const PUT = putAt("a", 11, { bytes: 40 });
const RECORD = PUT.record ?? raise();
const { row: SEALED } = await encodeRecord(
  SEALING.sealerFor(STATE),
  PUT,
  RECORD,
);

function raise(): never {
  throw new Error("a put has a record");
}

/** Nothing opens but the one record that was sealed. */
async function decodeSealed(bytes: Bytes): Promise<Verdict> {
  if (bytes.length > ROW_BYTES_MAX) return null;
  const at = { database: PUT.database, bytes: PUT.key, hash: null };
  const { value } = await openRecord(SEALING, readRecordRow(at, bytes), null);
  // A changed one may be in cleartext, of before the cutover.
  const isSealed = bytes[1] === 1;
  if (isSealed && !equalBytes(value.data, RECORD.value.data)) raise();
  return isSealed ? SEALED : "taken";
}

export const SEALED_RECORD_DECODERS: readonly Decoder[] = [
  {
    name: "store sealed record row",
    bytesMax: ROW_BYTES_MAX,
    valid: [SEALED],
    heapPerByte: 16,
    decode: decodeSealed,
    refuses: only(StoreRecordDamagedError, StoreRecordIntegrityError),
  },
  {
    name: "store no-cleartext mark",
    bytesMax: 13,
    valid: [encodeNoCleartext(184_201)],
    heapPerByte: 8,
    decode: (bytes) => encodeNoCleartext(decodeNoCleartext(bytes)),
    refuses: only(StoreRowDamagedError, StoreVersionUnsupportedError),
  },
];
