import type {
  ClusterEncryption,
  MemberEncryption,
} from "../../admin/client.ts";

/** What members say, side by side. */
export interface Agreement {
  /** All members answered, and say the same. */
  readonly isAgreed: boolean;
  /** Members that answered, in groups that say the same. */
  readonly groups: readonly (readonly string[])[];
  /** Members that did not answer. */
  readonly silent: readonly string[];
}

/** Compares what all members must agree on once they have applied the same. */
export function agreementOf(answers: readonly MemberEncryption[]): Agreement {
  const groups = new Map<string, string[]>();
  const silent: string[] = [];
  for (const { member, encryption } of answers) {
    if (encryption === null) silent.push(member);
    else {
      const said = sharedText(encryption);
      groups.set(said, [...groups.get(said) ?? [], member]);
    }
  }
  const isAgreed = silent.length === 0 && groups.size === 1;
  return { isAgreed, groups: [...groups.values()], silent };
}

/** Everything that the state index stands for. */
function sharedText(encryption: ClusterEncryption): string {
  const { stateIndex, storageCutoverIndex, raftCutoverIndex } = encryption;
  const { cleartextLockIndex, retired } = encryption;
  const indexes = [
    stateIndex,
    storageCutoverIndex,
    raftCutoverIndex,
    cleartextLockIndex,
  ].map(String);
  const keys = encryption.keys.map((key) => [
    key.id,
    key.purpose,
    key.isActive,
    String(key.createdMs),
    String(key.createdIndex),
    String(key.deactivatedIndex),
    key.keks,
  ]);
  return JSON.stringify([indexes, keys, retired]);
}

/** The same on one line, for people. */
export function agreementLine({ isAgreed, groups, silent }: Agreement): string {
  const [first = []] = groups;
  const left = silent.length === 0
    ? []
    : [`no answer from ${silent.join(", ")}`];
  if (isAgreed) {
    return first.length === 1
      ? `${first.join()} is the only member`
      : `all ${first.length} members agree`;
  }
  const said = groups.length === 1
    ? `${first.join(", ")} ${first.length === 1 ? "answers" : "agree"}`
    : `MEMBERS DIFFER: ${
      groups.map((group) => group.join(", ")).join(" | ")
    } (look again: one may be behind)`;
  return [said, ...left].join("; ");
}
