import type { ClusterView } from "./cluster_view.ts";
import type { RolloutSnapshot } from "./snapshot.ts";

/**
 * Members that were scrubbed after all was sealed, by the history: whoever came
 * later got no file of before.
 */
export function scrubbedMembers(
  { events }: RolloutSnapshot,
  { names, shown }: ClusterView,
): ReadonlySet<string> {
  const raft = shown?.raftCutoverIndex ?? 0n;
  const lock = shown?.cleartextLockIndex ?? 0n;
  if (raft === 0n || lock === 0n) return new Set();
  const since = raft > lock ? raft : lock;
  const details = events
    .filter(({ action, result, index }) =>
      action === "scrub" && result === "done" && index > since
    )
    .map(({ detail }) => detail);
  return new Set(
    details.flatMap((detail) => detail === "" ? names : detail.split(",")),
  );
}
