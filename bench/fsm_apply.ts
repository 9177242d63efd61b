// deno-lint-ignore-file no-console -- a bench prints.
/**
 * What does one committed command cost from log bytes to mutation and reply?
 *
 *     deno run -A bench/fsm_apply.ts
 */
import { applyPayload, keysToRead } from "../src/fsm/apply.ts";
import { decodePayload, encodeBatch } from "../src/fsm/payload.ts";
import { RecordOverlay } from "../src/fsm/record_view.ts";
import {
  type AtomicWrite,
  type Change,
  type FsmState,
  NO_ENCRYPTION,
  NO_ROLLOUT,
} from "../src/fsm/types.ts";

const WRITES = 30;
const ROUNDS = 10_000;
const NONE = new Uint8Array(0);
const STATE: FsmState = {
  clockMs: 1,
  clusterId: null,
  clusterName: "",
  databases: new Map(),
  members: new Map(),
  encryption: NO_ENCRYPTION,
  rollout: NO_ROLLOUT,
};

function keyOf(i: number): Uint8Array {
  return new Uint8Array(24).fill(i + 1);
}

function set(i: number): Change {
  const value = { data: new Uint8Array(256).fill(i), encoding: 1 } as const;
  return { kind: "set", key: keyOf(i), value, expireAtMs: 0 };
}

function sum(i: number): Change {
  const data = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);
  return {
    kind: "sum",
    key: keyOf(i),
    value: { data, encoding: 2 },
    min: NONE,
    max: NONE,
    clamp: false,
  };
}

function measure(
  name: string,
  write: (i: number) => Omit<AtomicWrite, "database">,
): void {
  const writes = Array.from(
    { length: WRITES },
    (_, i) => ({ database: "", ...write(i) }),
  );
  const bytes = encodeBatch(writes, 1);
  const run = (index: number) => {
    const payload = decodePayload(bytes);
    const keys = keysToRead(STATE, payload);
    const view = new RecordOverlay();
    for (const key of keys) view.put(key, null);
    return applyPayload(STATE, view, index, payload);
  };
  for (let i = 1; i <= ROUNDS / 4; i += 1) run(i);
  const from = performance.now();
  for (let i = 1; i <= ROUNDS; i += 1) run(i);
  const microseconds = (performance.now() - from) * 1e3 / ROUNDS / WRITES;
  console.log(`${name.padEnd(22)}${microseconds.toFixed(2)} µs per command`);
}

console.log(`batches of ${WRITES}, from bytes to mutations and replies`);
measure("set", (i) => ({ checks: [], changes: [set(i)] }));
measure("check and set", (i) => ({
  checks: [{ key: keyOf(i), versionstamp: null }],
  changes: [set(i)],
}));
measure("sum", (i) => ({ checks: [], changes: [sum(i)] }));
