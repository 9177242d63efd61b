import { NodeError } from "../../base/error.ts";
import {
  ROLLOUT_ACTION_BYTES_MAX,
  ROLLOUT_ACTOR_BYTES_MAX,
  ROLLOUT_DETAIL_BYTES_MAX,
} from "../../fsm/limits.ts";
import { encodeRollout } from "../../fsm/rollout_payload.ts";
import type { RolloutResult } from "../../fsm/types.ts";
import type { Clock } from "../../io/clock.ts";
import type {
  EncryptionRequest,
  EncryptionResult,
} from "../encryption_port.ts";
import { OutcomeUnknownError } from "../errors.ts";
import { timeText } from "./step_errors.ts";

/** A step that was asked for. */
export interface AskedStep {
  /** Who asks; "" for nobody in particular. */
  readonly actor: string;
  readonly action: string;
  /** What was asked for beside the action; "" for nothing. */
  readonly detail: string;
  /** 16 hex digits. */
  readonly planHash: string;
}

export interface HistoryHost {
  readonly clock: Clock;
  /** Puts an entry into the log if this node leads; nobody waits for it. */
  propose(payload: Uint8Array): unknown;
}

/**
 * The cluster's history: what was asked of the leader and what became of it, an
 * entry for each.
 *
 * Best effort: a leader that loses its place loses the line; no change fails
 * for it.
 */
export class History {
  readonly #host: HistoryHost;

  constructor(host: HistoryHost) {
    this.#host = host;
  }

  /** Runs `change`, and records how it ends. */
  async recorded(
    step: AskedStep,
    change: () => Promise<EncryptionResult>,
  ): Promise<EncryptionResult> {
    try {
      const result = await change();
      const { isChanged, index } = result;
      this.#record(step, isChanged ? "done" : "unchanged", index);
      return result;
    } catch (error) {
      if (error instanceof NodeError) this.#recordFailure(step, error);
      throw error;
    }
  }

  #recordFailure(step: AskedStep, error: NodeError): void {
    const isUnknown = error instanceof OutcomeUnknownError;
    const detail = error.code;
    this.#record({ ...step, detail }, isUnknown ? "unknown" : "refused", 0);
  }

  #record(step: AskedStep, result: RolloutResult, entry: number): void {
    const { clock } = this.#host;
    const event = {
      atMs: clock.wallMs(),
      actor: printable(step.actor, ROLLOUT_ACTOR_BYTES_MAX),
      action: printable(step.action, ROLLOUT_ACTION_BYTES_MAX),
      planHash: step.planHash,
      ...{ result, entry },
      detail: printable(step.detail, ROLLOUT_DETAIL_BYTES_MAX),
    };
    this.#host.propose(encodeRollout({ kind: "event", event }));
  }
}

/** What `request` asks for beside its kind, in a few words. */
export function detailOf(request: EncryptionRequest): string {
  switch (request.kind) {
    case "rotate-dek":
      return request.purpose;
    case "rewrap-deks":
      return request.keks.join(",");
    case "retire-dek":
      return `key ${request.keyId}`;
    case "start-rewrite":
    case "resume-rewrite":
      return rateText(request.bytesPerSecond);
    case "scrub":
      return request.members.join(",");
    case "update-rollout":
      return request.dwellUntilMs === 0
        ? "dwell ends"
        : `dwell until ${timeText(request.dwellUntilMs)}`;
    default:
      return "";
  }
}

/** `null`: at the rate of before. */
function rateText(bytesPerSecond: number | null): string {
  if (bytesPerSecond === null) return "";
  return bytesPerSecond === 0 ? "at any rate" : `${bytesPerSecond} bytes/s`;
}

/** At most `lengthMax` characters, all of them printable ASCII. */
function printable(text: string, lengthMax: number): string {
  return text.replaceAll(/[^\x20-\x7e]/gu, "?").slice(0, lengthMax);
}
