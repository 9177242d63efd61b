import { toHex } from "../base/bytes.ts";
import type { KeyId } from "../base/data_key.ts";
import { peekStorageEnvelope } from "../crypto/storage_envelope.ts";
import { VERSIONSTAMP_BYTES } from "../fsm/types.ts";
import {
  type IntegrityFault,
  StoreRecordDamagedError,
  StoreRecordIntegrityError,
} from "./errors.ts";
import type { RecordRow } from "./record.ts";
import { keyName } from "./row_key.ts";
import {
  bodyState,
  RECORD_HEADER_BYTES,
  STATE_CLEARTEXT,
  STATE_SEALED,
} from "./sealer.ts";

const VERSIONSTAMP_AT = 3;

/**
 * The data key that a record is sealed under, `null` for cleartext; as its row
 * says, nothing vouched for.
 *
 * @throws {StoreRecordDamagedError | StoreRecordIntegrityError} It is neither.
 */
export function keptUnder(found: RecordRow): KeyId | null {
  const { place, row, headerAt } = found;
  const bodyAt = headerAt + RECORD_HEADER_BYTES;
  const state = bodyState(row, bodyAt);
  if (state === STATE_CLEARTEXT) return null;
  if (state !== STATE_SEALED) {
    const { database } = place;
    const name = keyName(place);
    throw new StoreRecordDamagedError("reserved state bits", database, name);
  }
  const envelope = peekStorageEnvelope(row.subarray(bodyAt));
  if (envelope === null) throw refused(found, "envelope-malformed");
  return envelope.keyId;
}

/** What to throw for a record that is not kept as it must be. */
export function refused(
  { row, headerAt }: RecordRow,
  fault: IntegrityFault,
): StoreRecordIntegrityError {
  const from = headerAt + VERSIONSTAMP_AT;
  const versionstamp = toHex(row.subarray(from, from + VERSIONSTAMP_BYTES));
  return new StoreRecordIntegrityError(fault, { versionstamp, name: null });
}
