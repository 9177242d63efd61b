import type { NodeError } from "../base/error.ts";
import type {
  AcceptableRisk,
  ClusterChangeUnderWay,
  ClusterEvent,
  ClusterRewriteProgress,
  ClusterRollout,
  ClusterStatus,
  EncryptionOutcome,
  MemberCapability,
  MemberEncryption,
  MemberVitals,
} from "../admin/client.ts";
import type { StepId } from "./step.ts";

/** What the leader says to a dry run of one command of a step. */
export interface Rehearsal {
  readonly step: StepId;
  /** Its line, as the plan has it. */
  readonly command: string;
  /** `null` when it refuses. */
  readonly outcome: EncryptionOutcome | null;
  /** `null` when it would do it. */
  readonly refusal: NodeError | null;
}

/**
 * All that is known of a cluster at one moment; decisions are made of it and
 * of nothing else. What could not be asked is `null` or empty and fails the
 * checks that need it: not to know is no pass.
 */
export interface RolloutSnapshot {
  /** Unix ms. */
  readonly atMs: number;
  readonly status: ClusterStatus;
  /** In the order of the status. */
  readonly members: readonly MemberEncryption[];
  /** `null` when no leader answered. */
  readonly capabilities: readonly MemberCapability[] | null;
  /** `null` when it could not be asked. */
  readonly rollout: ClusterRollout | null;
  /** `null` when no leader answered. */
  readonly rewrite: ClusterRewriteProgress | null;
  /** Long change that the leader carries out now; `null` for none. */
  readonly underWay: ClusterChangeUnderWay | null;
  /** Oldest first. */
  readonly events: readonly ClusterEvent[];
  readonly vitals: readonly MemberVitals[];
  readonly rehearsal: Rehearsal | null;
}

/** What who asks has decided beforehand; goes into commands and checks. */
export interface RolloutChoices {
  readonly accept: readonly AcceptableRisk[];
  /** Bytes of values a second on each member; 0 for no bound. */
  readonly bytesPerSecond: number;
  /** Unix ms until which to dwell after the storage cutover; 0 for not. */
  readonly dwellUntilMs: number;
}

/** No risk accepted, no bound, no dwell. */
export const NO_CHOICES: RolloutChoices = {
  accept: [],
  bytesPerSecond: 0,
  dwellUntilMs: 0,
};
