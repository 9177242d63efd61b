import { NodeError } from "../../base/error.ts";
import type { Reading } from "./facts.ts";

export const UNREAD = { kind: "unread" } as const;

/** The value of a reading that succeeded; else `null`. */
export function knownOf<Value>(reading: Reading<Value>): Value | null {
  return reading.kind === "known" ? reading.value : null;
}

/** Reads one part; what an operator can act on becomes its failure. */
export async function attempt<Value>(
  read: () => Promise<Value>,
): Promise<Reading<Value>> {
  try {
    return { kind: "known", value: await read() };
  } catch (error) {
    if (!(error instanceof NodeError)) throw error;
    return { kind: "failed", error };
  }
}

/** The same reading of what `view` sees in it. */
export function viewed<Value, View>(
  reading: Reading<Value>,
  view: (value: Value) => View,
): Reading<View> {
  return reading.kind === "known"
    ? { kind: "known", value: view(reading.value) }
    : reading;
}
