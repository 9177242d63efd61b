import { assert, present } from "../base/assert.ts";
import type { KeyId } from "../base/data_key.ts";
import type { Mutation } from "../fsm/types.ts";
import type { KvKey, KvRow } from "../io/kv.ts";
import { groupByAtomic } from "./atomics.ts";
import type { Backing } from "./backing.ts";
import { boundCost, META_COST } from "./changes.ts";
import { keptUnder } from "./kept_under.ts";
import { readRow, type ReadSession } from "./read.ts";
import { RECORD_ROWS, rowAfter } from "./row_key.ts";
import type { Writer } from "./writer.ts";

/** Where a pass over all records has come to; good for any store. */
export interface RewriteCursor {
  /** Row of the last record that was looked at. */
  readonly row: KvKey;
}

export interface RewriteOptions {
  /** What the step before gave as `next`; `null` begins a pass. */
  readonly after: RewriteCursor | null;
  /** Records looked at, at most. */
  readonly rowsMax: number;
  /** Values sealed anew, at most; one more if the first alone is longer. */
  readonly bytesMax: number;
  /**
   * Whether a record is to be sealed anew, by the key it is sealed under;
   * `null` for cleartext. Asked twice, also while other records are written.
   */
  readonly isStale: (keyId: KeyId | null) => boolean;
}

export interface RewriteStep {
  /** For the next step; `null` when the pass is over. */
  readonly next: RewriteCursor | null;
  /** Records looked at. */
  readonly seen: number;
  /** Of those, sealed anew; durable. */
  readonly rewritten: number;
  /** Of the values sealed anew. */
  readonly bytes: number;
}

/** What a step works with. */
interface RewriteParts {
  readonly backing: Backing;
  readonly writer: Writer;
  readonly session: () => ReadSession;
}

/** Rows read at once: 64 KiB each make 8 MiB. */
const PAGE_ROWS = 128;

/**
 * Looks at the records that follow, and seals those anew that are stale: same
 * value, versionstamp and expiry. Commits wait only for that, if at all.
 *
 * @throws {NodeError} What opening a record throws. Of the stale ones none or
 * some are sealed anew then, each of them wholly.
 */
export async function rewriteStep(
  parts: RewriteParts,
  options: RewriteOptions,
): Promise<RewriteStep> {
  const { after, rowsMax } = options;
  assert(rowsMax >= 1, "a step looks at a record");
  const limit = Math.min(rowsMax, PAGE_ROWS);
  const rows = await parts.backing.list({
    start: after === null ? RECORD_ROWS.start : rowAfter(after.row),
    end: RECORD_ROWS.end,
    limit,
  });
  const { stale, seen } = chooseStale(rows, options);
  const last = rows[seen - 1];
  const isOver = seen === rows.length && rows.length < limit;
  const next = isOver || last === undefined ? null : { row: last.key };
  let done = { rewritten: 0, bytes: 0 };
  if (stale.length > 0) {
    await parts.writer.run(async () => {
      done = await sealAnew(parts, stale, options);
    });
  }
  return { next, seen, ...done };
}

/** The stale ones of `rows`, up to the first that does not fit any more. */
function chooseStale(
  rows: readonly KvRow[],
  { isStale, bytesMax }: RewriteOptions,
): { readonly stale: readonly KvKey[]; readonly seen: number } {
  const stale: KvKey[] = [];
  let bytes = 0;
  for (const [seen, { key, value }] of rows.entries()) {
    if (!isStale(keptUnder(readRow(key, value)))) continue;
    bytes += value.length;
    if (stale.length > 0 && bytes > bytesMax) return { stale, seen };
    stale.push(key);
  }
  return { stale, seen: rows.length };
}

/** For the single writer: `keys` may have changed since they were chosen. */
async function sealAnew(
  { session, writer }: RewriteParts,
  keys: readonly KvKey[],
  { isStale }: RewriteOptions,
): Promise<{ readonly rewritten: number; readonly bytes: number }> {
  const reads = session();
  const values = await reads.get(keys);
  const frames = keys.flatMap((key, i) => {
    const value = values[i] ?? null;
    return value === null ? [] : [readRow(key, value)];
  }).filter((frame) => isStale(keptUnder(frame)));
  const records = await reads.open(frames);
  const mutations = records.map((record, i): Mutation => {
    const { place } = present(frames[i], "a frame of each record");
    return { ...place, record };
  });
  // An atomic at a time: so much larger batches would keep readers out.
  const groups = groupByAtomic(
    mutations,
    (mutation) => boundCost([mutation]),
    META_COST,
  );
  for (const group of groups) await writer.rewrite(group);
  const bytes = records.reduce((sum, { value }) => sum + value.data.length, 0);
  return { rewritten: records.length, bytes };
}
