import type {
  ClusterEncryption,
  ClusterKey,
  ClusterMember,
  ClusterTask,
  MemberEncryption,
} from "../admin/client.ts";
import type { RolloutSnapshot } from "./snapshot.ts";

/** What a snapshot says of the cluster as one. */
export interface ClusterView {
  /** Of all members; the one that answered while there are none. */
  readonly names: readonly string[];
  /** The newest that any member has applied; `null` when none answers. */
  readonly shown: ClusterEncryption | null;
  /** `null` for one that was not asked. */
  member(name: string): ClusterMember | null;
  /** `null` for one that does not answer. */
  encryption(name: string): ClusterEncryption | null;
}

export function viewOf({ status, members }: RolloutSnapshot): ClusterView {
  const names = status.members.map(({ name }) => name);
  const byName = new Map(status.members.map((one) => [one.name, one]));
  const answers = new Map(members.map((one) => [one.member, one.encryption]));
  return {
    names: names.length === 0 ? [status.node] : names,
    shown: newestOf(members),
    member: (name) => byName.get(name) ?? null,
    encryption: (name) => answers.get(name) ?? null,
  };
}

function newestOf(
  members: readonly MemberEncryption[],
): ClusterEncryption | null {
  return members.reduce<ClusterEncryption | null>((newest, { encryption }) => {
    if (encryption === null || newest === null) return newest ?? encryption;
    return encryption.applied > newest.applied ? encryption : newest;
  }, null);
}

/** Steps that are one committed entry each. */
export type Cutover = "storage" | "seal" | "raft";

/** Index of the entry of a step as one member has applied it; 0 for none. */
export function cutoverIndex(
  encryption: ClusterEncryption | null,
  cutover: Cutover,
): bigint {
  if (encryption === null) return 0n;
  switch (cutover) {
    case "storage":
      return encryption.storageCutoverIndex;
    case "seal":
      return encryption.cleartextLockIndex;
    case "raft":
      return encryption.raftCutoverIndex;
  }
}

/** The rewrite as all members see it. */
export type RewriteStanding =
  /** No leader could say. */
  | { readonly kind: "unknown" }
  /** None was ever started. */
  | { readonly kind: "none" }
  | {
    readonly kind: "started";
    readonly tasks: readonly ClusterTask[];
    readonly bytesPerSecond: bigint;
    readonly isPaused: boolean;
    readonly isDone: boolean;
  };

export function rewriteStanding(
  { rewrite, rollout }: RolloutSnapshot,
): RewriteStanding {
  if (rewrite === null) {
    const isNone = rollout !== null && rollout.rewrite === null;
    return { kind: isNone ? "none" : "unknown" };
  }
  const { job, members: tasks } = rewrite;
  if (job === null) return { kind: "none" };
  const { bytesPerSecond, isPaused } = job;
  const isDone = tasks.length > 0 &&
    tasks.every(({ state }) => state === "done");
  return { kind: "started", tasks, bytesPerSecond, isPaused, isDone };
}

/** Keys that were replaced and not retired; what they sealed may be left. */
export function replacedKeys(view: ClusterView): readonly ClusterKey[] {
  return (view.shown?.keys ?? []).filter(({ isActive, purpose }) =>
    !isActive && (purpose === "storage" || purpose === "raft")
  );
}
