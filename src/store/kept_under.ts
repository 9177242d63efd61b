import type { KeyId } from "../base/data_key.ts";
import { peekStorageEnvelope } from "../crypto/storage_envelope.ts";
import { StoreRecordDamagedError } from "./errors.ts";
import type { RecordRow } from "./record.ts";
import { keyName } from "./row_key.ts";
import {
  RECORD_HEADER_BYTES,
  STATE_CLEARTEXT,
  STATE_SEALED,
} from "./sealer.ts";

const STATE_BODY_MASK = 0b0000_0011;

/**
 * The data key that a record is sealed under, `null` for cleartext; as its row
 * says, nothing vouched for.
 *
 * @throws {StoreRecordDamagedError} It can be neither.
 */
export function keptUnder({ place, row, headerAt }: RecordRow): KeyId | null {
  const state = (row[headerAt + 1] ?? 0) & STATE_BODY_MASK;
  if (state === STATE_CLEARTEXT) return null;
  const name = keyName(place);
  if (state !== STATE_SEALED) {
    throw new StoreRecordDamagedError(
      "reserved state bits",
      place.database,
      name,
    );
  }
  const body = row.subarray(headerAt + RECORD_HEADER_BYTES);
  const envelope = peekStorageEnvelope(body);
  if (envelope === null) {
    throw new StoreRecordDamagedError("no envelope", place.database, name);
  }
  return envelope.keyId;
}
