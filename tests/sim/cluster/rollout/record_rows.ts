import { getUint64, viewOf } from "../../../../src/base/bytes.ts";
import type { KeyId } from "../../../../src/base/data_key.ts";
import { peekStorageEnvelope } from "../../../../src/crypto/storage_envelope.ts";
import { readRecordRow } from "../../../../src/store/record.ts";
import { parseRowKey } from "../../../../src/store/row_key.ts";
import {
  RECORD_HEADER_BYTES,
  STATE_SEALED,
} from "../../../../src/store/sealer.ts";
import type { KvKey } from "../../../../src/io/kv.ts";

/** How a record is kept, by what anybody can see of its row. */
export interface RecordLook {
  /** Entry that wrote it. */
  readonly index: number;
  /** `null` for cleartext. */
  readonly seal: {
    readonly keyId: KeyId;
    readonly node16: number;
    readonly epoch: number;
  } | null;
}

/** Looks at a row; `null` when it is no record's. */
export function lookAtRow(key: KvKey, value: Uint8Array): RecordLook | null {
  const at = parseRowKey(key);
  if (at === null) return null;
  const { row, headerAt } = readRecordRow(at, value);
  const index = getUint64(viewOf(row), headerAt + 3) ?? 0;
  const isSealed = (row[headerAt + 1] ?? 0) & STATE_SEALED;
  if (!isSealed) return { index, seal: null };
  const body = row.subarray(headerAt + RECORD_HEADER_BYTES);
  const header = peekStorageEnvelope(body);
  if (header === null) throw new Error("a sealed record without an envelope");
  const { node16, epoch } = header.nonce;
  return { index, seal: { keyId: header.keyId, node16, epoch } };
}
