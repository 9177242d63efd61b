import { NodeError } from "../base/error.ts";
import type { Check } from "./check.ts";
import type { StepId } from "./step.ts";

/** A step is not taken: a check of it fails, or what comes before is not done. */
export class StepBlockedError extends NodeError {
  override readonly name = "StepBlockedError";
  override readonly code = "ROLLOUT_STEP_BLOCKED";
  override readonly remedy: string;

  constructor(
    readonly step: StepId,
    detail: string,
    /** Those that fail. */
    readonly checks: readonly Check[] = [],
  ) {
    const failing = checks.flatMap(({ id, evidence }) =>
      evidence.filter(({ verdict }) => verdict === "fail")
        .map((one) => ({ id, ...one }))
    );
    const said = failing.map(({ id, member, text }) =>
      [id, member, text].filter((word) => word !== "").join(" ")
    );
    super(
      `Cannot take the step "${step}": ${
        said.length === 0 ? detail : said.join("; ")
      }`,
    );
    const remedies = [...new Set(failing.map(({ remedy }) => remedy))]
      .filter((text) => text !== "");
    const rest = remedies.length === 0
      ? "do what `sealkv rollout --plan` says of it"
      : remedies.join("; ");
    this.remedy =
      `Nothing of this step was changed; give the command again after this: ${rest}`;
  }
}

/** A step was taken and does not come to its end. */
export class StepUnfinishedError extends NodeError {
  override readonly name = "StepUnfinishedError";
  override readonly code = "ROLLOUT_STEP_UNFINISHED";

  constructor(
    readonly what: string,
    readonly state: string,
    override readonly remedy: string,
  ) {
    super(`Cannot see the end of ${what}: current value is ${state}`);
  }
}

/** The leader went amid a command, and the next one knows that nothing came of it. */
export class StepUndoneError extends NodeError {
  override readonly name = "StepUndoneError";
  override readonly code = "ROLLOUT_STEP_UNDONE";
  override readonly remedy =
    "Give the same command again: the leader of now shows nothing of it, " +
    "done or under way";

  constructor(readonly command: string, options?: ErrorOptions) {
    super(
      `Cannot finish "${command}" as its leader went amid it and took it along`,
      options,
    );
  }
}

/** A file that is to go on as a transcript is not one of this cluster. */
export class TranscriptForeignError extends NodeError {
  override readonly name = "TranscriptForeignError";
  override readonly code = "ROLLOUT_TRANSCRIPT_FOREIGN";
  override readonly remedy =
    "Give --transcript another file; this one stays as it is";

  constructor(readonly path: string, readonly rule: string) {
    super(`Cannot write the transcript to "${path}" as it is ${rule}`);
  }
}
