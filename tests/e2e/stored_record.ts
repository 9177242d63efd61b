import { equal } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";

/**
 * Flips the lowest bit of a byte of the one record in the store at `path` whose
 * key or value holds `text`; called again it puts it back. The byte counts from
 * the record's end, 1 is the last one. It goes by row: the bytes of a key are
 * in the index of expiries too, and what SQLite has moved leaves copies in its
 * file, so that a search of the file may change what nobody reads. The store is
 * not in use.
 */
export function flipRecord(path: string, text: string, fromEnd = 1): void {
  const store = new DatabaseSync(path);
  try {
    const bytes = new TextEncoder().encode(text);
    const rows = store.prepare(
      "select k, v from kv where instr(k, ?) > 0 or instr(v, ?) > 0",
    ).all(bytes, bytes);
    equal(rows.length, 1, `records with ${text}`);
    const { k, v } = rows[0] as { k: Uint8Array; v: Uint8Array };
    v[v.length - fromEnd]! ^= 1;
    const { changes } = store.prepare("update kv set v = ? where k = ?")
      .run(v, k);
    equal(changes, 1);
  } finally {
    store.close();
  }
}
