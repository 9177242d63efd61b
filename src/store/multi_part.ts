import { type Bytes, EMPTY_BYTES } from "../base/bytes.ts";
import type { KvKey } from "../io/kv.ts";
import {
  addCost,
  type AtomicCost,
  changeCost,
  groupByAtomic,
  type RowChange,
  setCost,
  toBatch,
} from "./atomics.ts";
import type { Backing } from "./backing.ts";
import { StoreRowDamagedError } from "./errors.ts";
import type { StateGate } from "./gate.ts";
import { decodeMarker, encodeMarker, type Marker } from "./meta.ts";
import {
  MARKER_KEY,
  META_KEY,
  parseNumberedKey,
  rowAfter,
  STAGED_ROWS,
  stagedKey,
} from "./row_key.ts";

/** A change waiting in an internal row; `row` is that row's key. */
interface Staged {
  readonly row: KvKey;
  readonly number: number;
  readonly change: RowChange;
}

const MARKER_COST = setCost(3, 16);
/** Rows of up to 64 KiB each: 4 MiB at a time. */
const RECOVERY_ROWS = 64;

/**
 * Makes `changes` durable and visible although they exceed one atomic.
 *
 * 1. The changes are staged in internal rows, in several atomics. A crash
 *    leaves rows that nobody reads and the next open drops.
 * 2. One atomic writes the meta row and a marker: the commit point.
 * 3. Staged rows move into place, the marker advancing with them; the last
 *    atomic removes it. A crash leaves a marker, and the next open goes on.
 *
 * The changes are final values: moving one twice is moving it once. Readers
 * are kept out from 2 until the end of 3.
 */
export async function commitInParts(
  backing: Backing,
  gate: StateGate,
  work: { readonly changes: readonly RowChange[]; readonly meta: Bytes },
): Promise<void> {
  const staged = work.changes.map((change, number): Staged => ({
    row: stagedKey(number, change.key),
    number,
    change,
  }));
  const rows = staged.map(({ row, change }): RowChange => ({
    key: row,
    value: change.value ?? EMPTY_BYTES,
  }));
  for (const group of groupByAtomic(rows, changeCost)) {
    await backing.commit(toBatch(group));
  }
  const count = staged.length;
  await gate.exclusive(async () => {
    await backing.commit(toBatch([
      { key: META_KEY, value: work.meta },
      { key: MARKER_KEY, value: encodeMarker({ next: 0, count }) },
    ]));
    await moveRows(backing, staged, { next: 0, count });
  });
}

/**
 * Finishes a commit that a crash cut short, or drops what one had staged.
 *
 * @throws {NodeError} The marker or the staged rows are damaged.
 */
export async function recoverParts(
  backing: Backing,
): Promise<"nothing" | "finished" | "dropped"> {
  const [stored] = await backing.get([MARKER_KEY]);
  if (stored === null || stored === undefined) {
    return await dropStaged(backing) ? "dropped" : "nothing";
  }
  let marker = decodeMarker(stored);
  while (marker.next < marker.count) {
    const rows = await backing.list({ ...STAGED_ROWS, limit: RECOVERY_ROWS });
    const staged = rows.map(({ key, value }) => readStaged(key, value));
    staged.forEach(({ number }, i) => {
      if (number !== marker.next + i) throw missing();
    });
    if (staged.length === 0) throw missing();
    marker = await moveRows(backing, staged, marker);
  }
  return "finished";
}

function missing(): StoreRowDamagedError {
  return new StoreRowDamagedError("staged", "missing");
}

/** Puts `staged` in place, which starts at `marker.next`. */
async function moveRows(
  backing: Backing,
  staged: readonly Staged[],
  marker: Marker,
): Promise<Marker> {
  let { next } = marker;
  const { count } = marker;
  for (const group of groupByAtomic(staged, moveCost, MARKER_COST)) {
    next += group.length;
    const value = next === count ? null : encodeMarker({ next, count });
    await backing.commit(toBatch([
      ...group.map(({ change }) => change),
      ...group.map(({ row }): RowChange => ({ key: row, value: null })),
      { key: MARKER_KEY, value },
    ]));
  }
  return { next, count };
}

function moveCost({ row, change }: Staged): AtomicCost {
  return addCost(changeCost(change), changeCost({ key: row, value: null }));
}

function readStaged(key: KvKey, value: Bytes): Staged {
  const parsed = parseNumberedKey(key);
  if (parsed === null) throw new StoreRowDamagedError("staged", "unknown key");
  const change = {
    key: parsed.row,
    value: value.length === 0 ? null : value,
  };
  return { row: key, number: parsed.number, change };
}

async function dropStaged(backing: Backing): Promise<boolean> {
  let { start } = STAGED_ROWS;
  let dropped = false;
  for (;;) {
    const rows = await backing.list({
      start,
      end: STAGED_ROWS.end,
      limit: RECOVERY_ROWS,
    });
    const changes = rows.map(({ key }): RowChange => ({ key, value: null }));
    for (const group of groupByAtomic(changes, changeCost)) {
      await backing.commit(toBatch(group));
      dropped = true;
    }
    const last = rows.at(-1);
    if (last === undefined) return dropped;
    start = rowAfter(last.key);
  }
}
