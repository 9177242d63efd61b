import { describeConfig } from "../../../src/raft/membership.ts";
import type {
  ConfState,
  Entry,
  LogIndex,
  Snapshot,
} from "../../../src/raft/types.ts";
import { foldHash, hashBytes } from "./dice.ts";

/** A state machine that remembers everything in one number. */
export interface Machine {
  readonly index: LogIndex;
  readonly hash: number;
  readonly config: ConfState;
}

/** State after `entry`, which leads to `config`. */
export function applyTo(
  machine: Machine,
  entry: Entry,
  config: ConfState,
): Machine {
  const hash = foldHash(
    foldHash(machine.hash, entry.index),
    hashBytes(entry.data),
  );
  return { index: entry.index, hash, config };
}

export function encodeMachine(machine: Machine): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, machine.index);
  view.setUint32(8, machine.hash);
  return bytes;
}

/** State in a checkpoint; the founding one holds no data. */
export function decodeMachine({ data: bytes, metadata }: Snapshot): Machine {
  const config = metadata.confState;
  if (bytes.length === 0) return { index: metadata.index, hash: 0, config };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { index: view.getFloat64(0), hash: view.getUint32(8), config };
}

export function describeMachine(machine: Machine): string {
  return `index=${machine.index} hash=${machine.hash.toString(16)} ` +
    describeConfig(machine.config);
}
