import { compareBytes } from "../../../../src/base/bytes.ts";
import type { Mutation, RecordKey } from "../../../../src/fsm/types.ts";
import { encodeKvKey } from "../../../../src/io/kv_key.ts";
import type {
  CheckpointRecord,
  CheckpointSource,
} from "../../../../src/store/checkpoint/source.ts";
import { recordName } from "../../../../src/store/record_name.ts";
import { rowKey } from "../../../../src/store/row_key.ts";

/** What a store holds, by name; `copy` is the state of one moment. */
export class RecordModel {
  readonly #records = new Map<string, CheckpointRecord>();

  apply(mutations: readonly Mutation[]): void {
    for (const { record, ...place } of mutations) {
      if (record === null) this.#records.delete(recordName(place));
      else this.#records.set(recordName(place), { ...place, ...record });
    }
  }

  sweep(untilMs: number): void {
    for (const [name, { expireAtMs }] of this.#records) {
      const isDue = expireAtMs !== 0 && expireAtMs <= untilMs;
      if (isDue) this.#records.delete(name);
    }
  }

  /** All records in the order of rows. */
  records(): readonly CheckpointRecord[] {
    const order = (key: RecordKey) => encodeKvKey(rowKey(key));
    return [...this.#records.values()]
      .map((record) => [order(record), record] as const)
      .sort((a, b) => compareBytes(a[0], b[0]))
      .map(([_, record]) => record);
  }
}

export async function readAll(
  source: CheckpointSource,
): Promise<readonly CheckpointRecord[]> {
  const records: CheckpointRecord[] = [];
  for await (const page of source.records()) records.push(...page);
  return records;
}

/** All of each record as a line, values by length and ends: differences print small. */
export function plainRecords(
  records: readonly CheckpointRecord[],
): readonly string[] {
  return records.map((record) => {
    const { database, key, value, versionstamp, expireAtMs } = record;
    const { data, encoding } = value;
    return [
      database,
      `${key.length}:${[...key.subarray(0, 6)]}…${[...key.subarray(-4)]}`,
      `${encoding}:${data.length}:${data.at(0)}:${data.at(-1)}`,
      [...versionstamp].join("."),
      expireAtMs,
    ].join(" ");
  });
}
