import {
  type Bytes,
  compareBytes,
  toHex,
  utf8,
} from "../../../src/base/bytes.ts";
import type {
  AtomicWrite,
  Change,
  KvValue,
  WriteReply,
} from "../../../src/fsm/types.ts";
import type {
  NodePort,
  NodeStatus,
  ReadEntry,
  ReadRequest,
} from "../../../src/node/port.ts";

const CLUSTER_ID = Uint8Array.from({ length: 16 }, (_, i) => i + 1);

interface Subscription {
  readonly database: string;
  readonly keys: readonly string[];
  readonly onChange: () => void;
}

/** A node in a map: correct, in memory, without expiry by time. */
export class FakeNode implements NodePort {
  readonly writes: AtomicWrite[] = [];
  readonly reads: ReadRequest[] = [];
  ready = true;
  clusterIdNow: Bytes | null = CLUSTER_ID;
  /** Thrown by the next calls of `write` and `read` while set. */
  failure: unknown = null;
  /** Awaited by `read` and `write` while set. */
  hold: Promise<void> | null = null;
  readonly #databases = new Map<string, Map<string, ReadEntry>>();
  readonly #subscriptions = new Set<Subscription>();
  readonly #onStops = new Set<() => void>();
  #index = 0;

  get subscriptions(): number {
    return this.#subscriptions.size;
  }

  clusterId(): Bytes | null {
    return this.clusterIdNow;
  }

  async write(write: AtomicWrite): Promise<WriteReply> {
    if (this.hold !== null) await this.hold;
    if (this.failure !== null) throw this.failure;
    this.writes.push(write);
    const rows = this.#rows(write.database);
    const failedChecks = write.checks.flatMap((check, i) => {
      const found = rows.get(toHex(check.key))?.versionstamp;
      const held = check.versionstamp === null
        ? found === undefined
        : found !== undefined && toHex(found) === toHex(check.versionstamp);
      return held ? [] : [i];
    });
    if (failedChecks.length > 0) return { kind: "check-failed", failedChecks };
    this.#index += 1;
    const versionstamp = new Uint8Array(10);
    new DataView(versionstamp.buffer).setUint32(4, this.#index);
    const scratch = new Map(rows);
    const touched = new Set<string>();
    for (const change of write.changes) {
      const reason = apply(scratch, change, versionstamp, touched);
      if (reason !== null) return { kind: "rejected", reason };
    }
    this.#databases.set(write.database, scratch);
    this.notify(write.database, touched);
    return { kind: "committed", versionstamp };
  }

  async read(request: ReadRequest): Promise<readonly (readonly ReadEntry[])[]> {
    if (this.hold !== null) await this.hold;
    if (this.failure !== null) throw this.failure;
    this.reads.push(request);
    const rows = this.#databases.get(request.database) ?? new Map();
    const sorted = [...rows.values()].sort((a, b) =>
      compareBytes(a.key, b.key)
    );
    return request.ranges.map((range) => {
      const inside = sorted.filter(({ key }) =>
        compareBytes(key, range.start) >= 0 && compareBytes(key, range.end) < 0
      );
      if (range.reverse) inside.reverse();
      return inside.slice(0, range.limit);
    });
  }

  watch(
    database: string,
    keys: readonly Uint8Array[],
    onChange: () => void,
  ): { cancel(): void } {
    const subscription = { database, keys: keys.map(toHex), onChange };
    this.#subscriptions.add(subscription);
    return { cancel: () => this.#subscriptions.delete(subscription) };
  }

  status(): NodeStatus {
    return {
      cluster: "test",
      clusterId: this.clusterIdNow,
      node: "n1",
      leader: "n1",
      term: 1,
      commit: this.#index,
      applied: this.#index,
      phase: 0,
      ready: this.ready,
      members: [],
    };
  }

  onStop(onStop: () => void): { cancel(): void } {
    this.#onStops.add(onStop);
    return { cancel: () => this.#onStops.delete(onStop) };
  }

  /** Ends watches as a lost leadership does. */
  endWatches(): void {
    for (const onStop of this.#onStops) onStop();
  }

  /** Removes a key without a write, as expiry does. */
  expire(database: string, key: Uint8Array): void {
    this.#rows(database).delete(toHex(key));
    this.notify(database, new Set([toHex(key)]));
  }

  /** Calls the watchers of `keys` (hex). */
  notify(database: string, keys: ReadonlySet<string>): void {
    for (const subscription of this.#subscriptions) {
      if (subscription.database !== database) continue;
      if (subscription.keys.some((key) => keys.has(key))) {
        subscription.onChange();
      }
    }
  }

  #rows(database: string): Map<string, ReadEntry> {
    let rows = this.#databases.get(database);
    if (rows === undefined) {
      rows = new Map();
      this.#databases.set(database, rows);
    }
    return rows;
  }
}

function apply(
  rows: Map<string, ReadEntry>,
  change: Change,
  versionstamp: Uint8Array,
  touched: Set<string>,
): string | null {
  const key = change.kind === "set-suffix"
    ? Uint8Array.from([
      ...change.key,
      2,
      ...utf8(toHex(versionstamp)),
      0,
    ])
    : change.key.slice();
  touched.add(toHex(key));
  if (change.kind === "delete") {
    rows.delete(toHex(key));
    return null;
  }
  const value = change.kind === "set" || change.kind === "set-suffix"
    ? copied(change.value)
    : combined(change.kind, rows.get(toHex(key))?.value, change.value);
  if (typeof value === "string") return value;
  rows.set(toHex(key), { key, value, versionstamp });
  return null;
}

function combined(
  kind: "sum" | "min" | "max",
  stored: KvValue | undefined,
  operand: KvValue,
): KvValue | string {
  if (operand.encoding !== 2) {
    return `Failed to perform '${kind}' mutation on a non-U64 operand`;
  }
  if (stored === undefined) return copied(operand);
  if (stored.encoding !== 2) {
    return `Failed to perform '${kind}' mutation on a non-U64 value in the database`;
  }
  const a = u64(stored.data);
  const b = u64(operand.data);
  const result = kind === "sum"
    ? BigInt.asUintN(64, a + b)
    : (kind === "min") === (a < b)
    ? a
    : b;
  const data = new Uint8Array(8);
  new DataView(data.buffer).setBigUint64(0, result, true);
  return { data, encoding: 2 };
}

function u64(data: Uint8Array): bigint {
  return new DataView(data.buffer, data.byteOffset).getBigUint64(0, true);
}

function copied(value: KvValue): KvValue {
  return { data: value.data.slice(), encoding: value.encoding };
}
