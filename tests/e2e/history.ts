/*
 * What clients did and saw, in a form that every process writes and every
 * checker reads: one JSON object a line.
 */

/** One call of one client. Values are unique: no two calls write the same. */
export type Operation =
  | { readonly kind: "get"; readonly key: string }
  | { readonly kind: "set"; readonly key: string; readonly value: string }
  /** Writes if the key is as it was at `expected`; `null` for absent. */
  | {
    readonly kind: "cas";
    readonly key: string;
    readonly expected: string | null;
    readonly value: string;
  }
  /** Creates the key `value`, and adds 1 to a sum, in one atomic. */
  | { readonly kind: "tally"; readonly value: string };

export type Result =
  /** A read; both `null` when the key is absent. */
  | {
    readonly kind: "read";
    readonly value: string | null;
    readonly versionstamp: string | null;
  }
  | { readonly kind: "written"; readonly versionstamp: string }
  /** A check failed. */
  | { readonly kind: "refused" }
  /** It cannot have happened: nobody was there to hear it. */
  | { readonly kind: "failed"; readonly error: string }
  /** It failed or was not answered: it may have happened, or may happen yet. */
  | { readonly kind: "unknown"; readonly error: string };

export interface HistoryItem {
  /** One caller that does one thing after the other: `deno@n1#0`. */
  readonly client: string;
  readonly op: Operation;
  /** Of `machineMs()`. */
  readonly invokeMs: number;
  /** `null` when it was never answered. */
  readonly returnMs: number | null;
  readonly result: Result;
}

/**
 * The least time after which a client of this kind has sent a call again, so
 * that a write may have happened more than once. Below it, it was sent once.
 *
 * Deno repeats after 200 ms and for ever; npm after 1 s (kvconnect.md §1.8).
 */
const REPEAT_MS = { deno: 200, npm: 1_000 } as const;

export type ClientKind = keyof typeof REPEAT_MS;

export const CLIENT_KINDS = Object.keys(REPEAT_MS) as readonly ClientKind[];

/** True when the call may have been sent, and have happened, more than once. */
export function mayRepeat(
  { client, invokeMs, returnMs }: HistoryItem,
): boolean {
  if (returnMs === null) return true;
  const kind = CLIENT_KINDS.find((name) => client.startsWith(`${name}@`));
  // Timers may fire a little early.
  return kind === undefined || returnMs - invokeMs > REPEAT_MS[kind] * 0.9;
}

/** True for an answered write. */
export function isAcknowledged({ result }: HistoryItem): boolean {
  return result.kind === "written";
}

export function encodeItem(item: HistoryItem): string {
  return JSON.stringify(item);
}

/** Of a line that `encodeItem` made: the programs are ours. */
export function decodeItem(line: string): HistoryItem {
  return JSON.parse(line) as HistoryItem;
}
