import { toHex } from "../../../../src/base/bytes.ts";
import { encodeRolloutState } from "../../../../src/fsm/rollout_codec.ts";
import { encodeEncryptionState } from "../../../../src/fsm/encryption_codec.ts";
import type {
  EncryptionState,
  RolloutState,
} from "../../../../src/fsm/types.ts";

const texts = new WeakMap<EncryptionState, string>();

/** Equal for equal states; states are replaced, never changed. */
export function encryptionText(state: EncryptionState): string {
  const known = texts.get(state);
  if (known !== undefined) return known;
  const text = toHex(encodeEncryptionState(state));
  texts.set(state, text);
  return text;
}

const rollouts = new WeakMap<RolloutState, string>();

/** Equal for equal states, as `encryptionText`. */
export function rolloutText(state: RolloutState): string {
  const known = rollouts.get(state);
  if (known !== undefined) return known;
  const text = toHex(encodeRolloutState(state));
  rollouts.set(state, text);
  return text;
}

/** What a failure shows of two rollouts that should be one. */
export function rolloutLine({ rewrite, dwellUntilMs, events }: RolloutState) {
  const last = events.at(-1);
  return `rewrite ${JSON.stringify(rewrite)}, dwell ${dwellUntilMs}, ` +
    `${events.length} events, the last ${last?.action} at ${last?.index}`;
}

/** What a failure shows of two states that should be one. */
export function encryptionLine(state: EncryptionState): string {
  const { stateIndex, active, keys, writers } = state;
  const rows = [...writers].map(([id, row]) => `${id}:${row.lastEpoch}`);
  return `state ${stateIndex}, ${keys.size} keys, active ` +
    `${active.storage}/${active.raft}, rows ${rows.join(" ")}`;
}
