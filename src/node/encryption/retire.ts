import type { KeyId } from "../../base/data_key.ts";
import type { EncryptionState } from "../../fsm/types.ts";
import type { LogIndex } from "../../raft/types.ts";
import { KeyNotRetirableError, type KeyUse } from "./task_errors.ts";
import type { MemberReport, TaskSpec } from "./tasks/task.ts";

/** Why a key can never be retired as things are; `null` when it may be. */
export function notRetirable(
  { keys, retired, active, stateKey }: EncryptionState,
  keyId: KeyId,
): KeyNotRetirableError | null {
  if (keyId === stateKey) {
    return new KeyNotRetirableError(keyId, "it keys the cluster's own state");
  }
  const key = keys.get(keyId);
  if (key === undefined) {
    const reason = retired.has(keyId)
      ? "it is retired"
      : "there is no such key";
    return new KeyNotRetirableError(keyId, reason);
  }
  const { purpose } = key;
  if (purpose === "state" || active[purpose] !== keyId) return null;
  return new KeyNotRetirableError(
    keyId,
    `it is the active key of purpose ${purpose}`,
    `Replace it first: \`sealkv encryption rotate-dek --purpose ${purpose}\``,
  );
}

/**
 * What members are asked before `keyId`, which is retirable, is retired.
 * `lastIndex` is the end of the leader's log: entries under the old key may
 * follow the one that replaced it, as those on their way then do, but none is
 * above.
 */
export function retirementTask(
  { keys }: EncryptionState,
  keyId: KeyId,
  lastIndex: LogIndex,
): TaskSpec {
  const key = keys.get(keyId);
  if (key?.purpose === "raft") {
    return { kind: "key-references", keyId, appliedFrom: lastIndex };
  }
  return { kind: "scan", appliedFrom: key?.deactivatedIndex ?? lastIndex };
}

/** What members still have of a key, by their reports of `retirementTask`. */
export function usesOf(
  keyId: KeyId,
  deactivatedIndex: LogIndex,
  reports: readonly MemberReport[],
): readonly KeyUse[] {
  return reports.flatMap((report) => {
    const { member } = report;
    const found = useOf(keyId, deactivatedIndex, report);
    return found === null ? [] : [{ member, ...found }];
  });
}

function useOf(
  keyId: KeyId,
  deactivatedIndex: LogIndex,
  { counts, references }: MemberReport,
): Omit<KeyUse, "member"> | null {
  if (counts !== null) {
    const records = counts.sealed.get(keyId) ?? 0;
    return records === 0 ? null : {
      use: `${records} records under it`,
      remedy: "let `sealkv encryption rewrite --follow` end",
    };
  }
  if (references === null) {
    return {
      use: "no proof that it is unused",
      remedy: "run the same sealkv release on it as on the leader",
    };
  }
  const { entries, lastIndex, checkpointIndex } = references;
  if (entries > 0) {
    return {
      use:
        `${entries} entries under it in its log, the last one at ${lastIndex}`,
      remedy:
        `wait until it has applied entry ${lastIndex} and let its log go: \`sealkv status\``,
    };
  }
  if (checkpointIndex >= deactivatedIndex) return null;
  return {
    use: `a store of entry ${checkpointIndex}, before the key was replaced`,
    remedy: `wait until it has applied entry ${deactivatedIndex}`,
  };
}
