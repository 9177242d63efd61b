import type { RecordKey, StoredRecord } from "../fsm/types.ts";
import type { KvKey, KvRow } from "../io/kv.ts";
import {
  addCost,
  type AtomicCost,
  changeCost,
  groupByAtomic,
  NO_COST,
  type RowChange,
  toBatch,
} from "./atomics.ts";
import type { Backing } from "./backing.ts";
import { StoreRowDamagedError } from "./errors.ts";
import type { StateGate } from "./gate.ts";
import { readRow, type ReadSession } from "./read.ts";
import type { RecordRow } from "./record.ts";
import { EXPIRY_ROWS, overflowKey, parseNumberedKey } from "./row_key.ts";

interface Due {
  /** The expiry row, and the record's row that it names. */
  readonly index: KvKey;
  readonly row: KvKey;
  readonly expireAtMs: number;
}

/** The earliest expiry row's time; `null` when there is none. */
export async function firstExpiryMs(backing: Backing): Promise<number | null> {
  const [row] = await backing.list({ ...EXPIRY_ROWS, limit: 1 });
  return row === undefined ? null : readDue(row).expireAtMs;
}

/**
 * Removes up to `rowsMax` records that expired by `untilMs`, and the expiry
 * rows of records that were overwritten since. For the single writer only.
 *
 * `seen` counts expiry rows: fewer than `rowsMax` means that none are left.
 */
export async function sweepOnce(
  backing: Backing,
  gate: StateGate,
  options: {
    readonly untilMs: number;
    readonly rowsMax: number;
    readonly session: ReadSession;
  },
): Promise<{ readonly seen: number; readonly removed: readonly RecordKey[] }> {
  const { untilMs, rowsMax, session } = options;
  const [first, kind] = EXPIRY_ROWS.start;
  if (first === undefined || kind === undefined) return NOTHING;
  const rows = await backing.list({
    start: EXPIRY_ROWS.start,
    end: [first, kind, BigInt(untilMs + 1)],
    limit: rowsMax,
  });
  const due = rows.map(readDue);
  const values = await session.get(due.map(({ row }) => row));
  const frames = due.map(({ row }, i) => {
    const value = values[i] ?? null;
    return value === null ? null : readRow(row, value);
  });
  const present = frames.filter((frame) => frame !== null);
  const records = await session.open(present);
  const byFrame = new Map(present.map((frame, i) => [frame, records[i]]));
  const removed: RecordKey[] = [];
  const changes = due.map((item, i): readonly RowChange[] => {
    const index: RowChange = { key: item.index, value: null };
    const frame = frames[i] ?? null;
    if (frame === null || !isDue(item, byFrame.get(frame))) return [index];
    removed.push(frame.place);
    return [index, ...removal(item, frame)];
  });
  // A record and its expiry row go in one atomic.
  for (const group of groupByAtomic(changes, costOfAll)) {
    const rows = group.flat();
    await backing.prepare(() => rows.map(({ key }) => key));
    await gate.commit(() => backing.commit(toBatch(rows)));
  }
  return { seen: due.length, removed };
}
const NOTHING = { seen: 0, removed: [] } as const;

function costOfAll(changes: readonly RowChange[]): AtomicCost {
  return changes.map(changeCost).reduce(addCost, NO_COST);
}

function isDue(due: Due, record: StoredRecord | undefined): boolean {
  return record?.expireAtMs === due.expireAtMs;
}

function removal(due: Due, frame: RecordRow): readonly RowChange[] {
  const row = { key: due.row, value: null };
  return frame.hasOverflow
    ? [row, { key: overflowKey(due.row), value: null }]
    : [row];
}

function readDue({ key }: KvRow): Due {
  const parsed = parseNumberedKey(key);
  if (parsed === null) throw new StoreRowDamagedError("expiry", "unknown key");
  return { index: key, row: parsed.row, expireAtMs: parsed.number };
}
