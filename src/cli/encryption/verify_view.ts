import type {
  ClusterEncryption,
  ClusterRecordCounts,
  ClusterScan,
} from "../../admin/client.ts";
import { shortened, tableLines } from "../table.ts";
import { taskJson } from "../task_text.ts";
import { wrapped } from "../wrap.ts";

const NAME_COLUMNS_MAX = 16;

type Shown = Pick<ClusterEncryption, "phase" | "keys">;

/** A line for each way in which each member keeps records, and a verdict. */
export function scanLines(
  scans: readonly ClusterScan[],
  shown: Shown,
): readonly string[] {
  return [
    ...tableLines([
      ["member", "records", "kept as"],
      ...scans.flatMap(({ member, counts, ...task }) => {
        const name = shortened(member, NAME_COLUMNS_MAX);
        if (counts !== null) return countRows(name, counts, shown);
        const state = task.state === "failed"
          ? `FAILED: ${task.failure}`
          : task.state === "silent"
          ? "NO ANSWER"
          : `not counted: ${task.state}`;
        return [[name, "-", state]];
      }),
    ], new Set([1])),
    ...wrapped(verdict(scans, shown)),
  ];
}

/** One object a member; u64 as strings. */
export function scanJson({ counts, ...task }: ClusterScan) {
  return {
    ...taskJson(task),
    cleartext: counts === null ? null : String(counts.cleartext),
    sealed: counts?.sealed.map(({ keyId, records }) => (
      { keyId, records: String(records) }
    )) ?? null,
  };
}

function countRows(
  name: string,
  { cleartext, sealed }: ClusterRecordCounts,
  { keys }: Shown,
): readonly (readonly string[])[] {
  const rows = [
    ["", String(cleartext), "cleartext"],
    ...sealed.map(({ keyId, records }) => {
      const key = keys.find(({ id }) => id === keyId);
      const what = key === undefined
        ? "UNKNOWN KEY"
        : key.isActive
        ? "active"
        : "older";
      return ["", String(records), `sealed under ${keyId} (${what})`];
    }),
  ];
  return rows.map((row, i) => i === 0 ? [name, ...row.slice(1)] : row);
}

/** What the counts come to, and what to do about it. */
function verdict(
  scans: readonly ClusterScan[],
  { phase, keys }: Shown,
): string {
  const active = new Set(
    keys.filter(({ isActive }) => isActive).map(({ id }) => id),
  );
  const counted = scans.flatMap(({ member, counts }) =>
    counts === null ? [] : [{ member, ...counts }]
  );
  if (counted.length === 0) return "no member counted its records";
  if (phase === 0) return "phase 0: nothing is sealed yet";
  const rewrite = "`sealkv encryption rewrite` seals them anew";
  const open = counted.filter(({ cleartext }) => cleartext > 0n);
  if (open.length > 0) {
    const records = sumOf(open.map(({ cleartext }) => cleartext));
    const names = open.map(({ member }) => member).join(", ");
    return `CLEARTEXT IS LEFT on ${names}: ${records} records; ${rewrite}`;
  }
  const older = sumOf(
    counted.flatMap(({ sealed }) =>
      sealed.map(({ keyId, records }) => active.has(keyId) ? 0n : records)
    ),
  );
  const where = counted.length === 1
    ? `on ${counted[0]?.member}`
    : `on ${counted.length} members`;
  return older > 0n
    ? `no cleartext ${where}; ${older} records under older keys: ${rewrite}`
    : `no cleartext ${where}; every record is under the active key`;
}

function sumOf(numbers: readonly bigint[]): bigint {
  return numbers.reduce((sum, number) => sum + number, 0n);
}
