import type { Bytes } from "../../base/bytes.ts";
import { decideEncryption } from "../../fsm/encryption.ts";
import { encodeEncryption } from "../../fsm/encryption_payload.ts";
import { brokenChangeRule } from "../../fsm/encryption_rules.ts";
import type { EncryptionChange, FsmState } from "../../fsm/types.ts";
import type { LogIndex } from "../../raft/types.ts";
import { EncryptionRefusedError } from "./change_errors.ts";

/**
 * The payload of `change`, after seeing that members whose last entry was at
 * `applied` would take it: what can be told before is refused without an entry.
 *
 * @throws {EncryptionRefusedError}
 */
export function encodeForeseen(
  fsm: FsmState,
  applied: LogIndex,
  change: EncryptionChange,
): Bytes {
  // What a provider made of a key may be no wrap that an entry has room for.
  const rule = brokenChangeRule(change);
  if (rule !== null) throw new EncryptionRefusedError("malformed", rule);
  const decision = decideEncryption(fsm, applied + 1, change);
  if (decision.kind === "taken") return encodeEncryption(change);
  const { code, detail } = decision.refusal;
  throw new EncryptionRefusedError(code, detail);
}
