import { setUint64, toHex, utf8, viewOf } from "../../../src/base/bytes.ts";
import {
  type AtomicWrite,
  type Change,
  ENCODING_BYTES,
  ENCODING_LE64,
  ENCODING_V8,
  type KvValue,
} from "../../../src/fsm/types.ts";
import { encodeV8Number, parseV8Number } from "../../../src/fsm/v8_number.ts";
import type { ReadEntry } from "../../../src/node/port.ts";
import {
  type ModelChange,
  type ModelCheck,
  type ModelEntry,
  numberText,
} from "../../linearizability/kv_model.ts";
import { canaryBytes, canaryText } from "./rollout/canary.ts";

/** What clients of the simulation write, and its text in models. */

const text = new TextDecoder();
const NO_BYTES = new Uint8Array(0);

export function keyText(key: Uint8Array): string {
  return text.decode(key);
}

export function valueText({ encoding, data }: KvValue): string {
  if (encoding === ENCODING_BYTES) return canaryText(text.decode(data));
  if (encoding === ENCODING_LE64) {
    return numberText(viewOf(data).getBigUint64(0, true), true);
  }
  const number = parseV8Number(data);
  return typeof number === "bigint" ? numberText(number, false) : toHex(data);
}

export function modelEntry(
  { key, value, versionstamp }: ReadEntry,
): ModelEntry {
  return {
    key: keyText(key),
    value: valueText(value),
    stamp: toHex(versionstamp),
  };
}

export function textValue(value: string): KvValue {
  return { data: canaryBytes(value), encoding: ENCODING_BYTES };
}

/** Marks end at `marksUntilMs`, 0 for never. */
export function atomicWrite(
  checks: readonly ModelCheck[],
  changes: readonly ModelChange[],
  marksUntilMs = 0,
): AtomicWrite {
  return {
    database: "",
    checks: checks.map(({ key, stamp }) => ({
      key: utf8(key),
      versionstamp: stamp === null ? null : Uint8Array.fromHex(stamp),
    })),
    changes: changes.map((change) => changeOf(change, marksUntilMs)),
  };
}

function changeOf(change: ModelChange, marksUntilMs: number): Change {
  const key = utf8(change.key);
  switch (change.kind) {
    case "delete":
      return { kind: "delete", key };
    case "set":
      return {
        kind: "set",
        key,
        value: textValue(change.value),
        expireAtMs: change.key.startsWith(MARK_PREFIX) ? marksUntilMs : 0,
      };
    case "sum":
      return {
        kind: "sum",
        key,
        value: change.isU64 ? u64(change.by) : bigint(change.by),
        min: bound(change.min),
        max: bound(change.max),
        clamp: change.clamp,
      };
  }
}

function u64(value: bigint): KvValue {
  const data = new Uint8Array(8);
  setUint64(viewOf(data), 0, 0);
  viewOf(data).setBigUint64(0, value, true);
  return { data, encoding: ENCODING_LE64 };
}

function bigint(value: bigint): KvValue {
  return { data: encodeV8Number(value), encoding: ENCODING_V8 };
}

function bound(value: bigint | null): Uint8Array {
  return value === null ? NO_BYTES : encodeV8Number(value);
}

/**
 * Each attempt to write sets one key to a text of its own, so that the log
 * tells which attempts it holds. Models leave keys of marks out.
 */
export const MARK_PREFIX = "~";

/** The attempt that made `write`; `null` when it is no client's. */
export function attemptOf({ changes }: AtomicWrite): string | null {
  for (const change of changes) {
    if (change.kind === "set" && change.value.encoding === ENCODING_BYTES) {
      return valueText(change.value);
    }
  }
  return null;
}
