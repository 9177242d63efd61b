import { unreachable } from "../base/assert.ts";
import { phaseOf } from "./encryption.ts";
import type { EncryptionRefusal, RefusalCode } from "./encryption_decision.ts";
import { ROLLOUT_EVENTS_MAX } from "./limits.ts";
import type {
  FsmState,
  RewriteJob,
  RolloutChange,
  RolloutState,
} from "./types.ts";

/** What one entry of the rollout does, the same on every member. */
export type RolloutDecision =
  | { readonly kind: "refused"; readonly refusal: EncryptionRefusal }
  /** `next` is the very state given when all was so already. */
  | { readonly kind: "taken"; readonly next: RolloutState };

/**
 * Decides what the rollout entry at `index` does.
 *
 * Total and deterministic. A refusal changes nothing; of events the oldest goes
 * when there are too many.
 */
export function decideRollout(
  { rollout, encryption }: FsmState,
  index: number,
  change: RolloutChange,
): RolloutDecision {
  switch (change.kind) {
    case "event": {
      const events = [...rollout.events, { ...change.event, index }];
      return taken({ ...rollout, events: events.slice(-ROLLOUT_EVENTS_MAX) });
    }
    case "start-rewrite": {
      if (phaseOf(encryption) === 0) {
        return refused("storage-envelope-off", "records are not sealed yet");
      }
      const { bytesPerSecond } = change;
      const rewrite = { id: index, bytesPerSecond, isPaused: false };
      return taken({ ...rollout, rewrite });
    }
    case "pause-rewrite":
      return withJob(rollout, () => ({ isPaused: true }));
    case "resume-rewrite":
      return withJob(rollout, (job) => ({
        isPaused: false,
        bytesPerSecond: change.bytesPerSecond ?? job.bytesPerSecond,
      }));
    case "dwell": {
      const { untilMs } = change;
      return untilMs === rollout.dwellUntilMs
        ? taken(rollout)
        : taken({ ...rollout, dwellUntilMs: untilMs });
    }
    default:
      return unreachable(change);
  }
}

function withJob(
  rollout: RolloutState,
  change: (job: RewriteJob) => Partial<RewriteJob>,
): RolloutDecision {
  const { rewrite: job } = rollout;
  if (job === null) return refused("no-rewrite", "no rewrite was started");
  const rewrite = { ...job, ...change(job) };
  const isSame = rewrite.isPaused === job.isPaused &&
    rewrite.bytesPerSecond === job.bytesPerSecond;
  return taken(isSame ? rollout : { ...rollout, rewrite });
}

function taken(next: RolloutState): RolloutDecision {
  return { kind: "taken", next };
}

function refused(code: RefusalCode, detail: string): RolloutDecision {
  return { kind: "refused", refusal: { code, detail } };
}
