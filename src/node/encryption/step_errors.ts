import { NodeError } from "../../base/error.ts";

const STEP_BEFORE = {
  "enable-storage-envelope": "`sealkv encryption enable-storage-envelope`",
  "seal-cleartext": "`sealkv encryption seal-cleartext`",
  "enable-raft-envelope": "`sealkv encryption enable-raft-envelope`",
} as const;

/** A step whose turn has not come. */
export class PhaseTooLowError extends NodeError {
  override readonly name = "PhaseTooLowError";
  override readonly code = "NODE_PHASE_TOO_LOW";
  override readonly remedy: string;

  /** `first` is what has to be so, `step` what brings it about. */
  constructor(
    readonly action: string,
    readonly phase: 0 | 1 | 2,
    first: string,
    step: keyof typeof STEP_BEFORE,
  ) {
    super(
      `Cannot ${action} as ${first} first: current phase is ${phase}`,
    );
    this.remedy = `Take the step before it: ${STEP_BEFORE[step]}`;
  }
}

/** Records of before the cutover may be cleartext still. */
export class CleartextUnlockedError extends NodeError {
  override readonly name = "CleartextUnlockedError";
  override readonly code = "NODE_CLEARTEXT_UNLOCKED";
  override readonly remedy =
    "Let `sealkv encryption rewrite --follow` end and lock the cleartext with `sealkv encryption seal-cleartext`, or accept that old records stay as they are: --accept-unrewritten";

  constructor(readonly action: string) {
    super(
      `Cannot ${action} as cleartext records may be left: the cleartext is not locked`,
    );
  }
}

/** An operator asked for time between two steps, and it has not passed. */
export class DwellNotOverError extends NodeError {
  override readonly name = "DwellNotOverError";
  override readonly code = "NODE_DWELL_NOT_OVER";
  override readonly remedy =
    "Wait until then, end the wait with `sealkv encryption dwell --end`, or accept it: --accept-short-dwell";

  constructor(readonly action: string, readonly untilMs: number) {
    super(
      `Cannot ${action} as the cluster is to stay as it is for a while: current end is ${
        timeText(untilMs)
      }`,
    );
  }
}

/** Nothing to pause or to go on with. */
export class RewriteNotStartedError extends NodeError {
  override readonly name = "RewriteNotStartedError";
  override readonly code = "NODE_REWRITE_NOT_STARTED";
  override readonly remedy =
    "Start the rewrite first: `sealkv encryption rewrite`";

  constructor(readonly action: string) {
    super(`Cannot ${action} as no rewrite was started`);
  }
}

/** The moment as RFC 3339, or the number when there is no such date. */
export function timeText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? `${ms} ms` : date.toISOString();
}
