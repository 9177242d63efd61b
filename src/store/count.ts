import type { KeyId } from "../base/data_key.ts";
import type { KvKey } from "../io/kv.ts";
import type { Backing } from "./backing.ts";
import { keptUnder } from "./kept_under.ts";
import { readRow } from "./read.ts";
import { RECORD_ROWS, rowAfter } from "./row_key.ts";

/** Records of a store, by how they are kept. */
export interface RecordCounts {
  readonly cleartext: number;
  /** By data key; no zeros. */
  readonly sealed: ReadonlyMap<KeyId, number>;
}

export interface CountOptions {
  /** Asked now and then; true ends the count. */
  readonly isOver?: () => boolean;
  /** Told now and then; it may let the count wait. */
  readonly onProgress?: (progress: CountProgress) => void | Promise<void>;
}

export interface CountProgress {
  /** Records so far; back to 0 when the count begins anew. */
  readonly records: number;
  /** Of their rows. */
  readonly bytes: number;
}

/** Rows read at once: 64 KiB each make 8 MiB. */
const PAGE_ROWS = 128;

/**
 * Counts all records by their state bits and key ids, expired ones too; `null`
 * when `isOver` ended it.
 *
 * A record that is there from begin to end counts once. One that is written or
 * removed meanwhile counts once or not at all.
 *
 * @throws {NodeError} STORE_RECORD_DAMAGED, STORE_ROW_DAMAGED.
 */
export async function countRecords(
  backing: Backing,
  { isOver = () => false, onProgress = () => {} }: CountOptions,
): Promise<RecordCounts | null> {
  const sealed = new Map<KeyId, number>();
  let [cleartext, records, bytes] = [0, 0, 0];
  let start: KvKey = RECORD_ROWS.start;
  for (;;) {
    if (isOver()) return null;
    const rows = await backing.list({
      ...{ ...RECORD_ROWS, start },
      limit: PAGE_ROWS,
    });
    for (const { key, value } of rows) {
      const keyId = keptUnder(readRow(key, value));
      if (keyId === null) cleartext += 1;
      else sealed.set(keyId, (sealed.get(keyId) ?? 0) + 1);
      records += 1;
      bytes += value.length;
    }
    await onProgress({ records, bytes });
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_ROWS) break;
    start = rowAfter(last.key);
  }
  return { cleartext, sealed };
}
