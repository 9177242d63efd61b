import type { AcceptableRisk } from "./change_request.ts";

/** What every change takes besides its own; all may be left out. */
export interface ChangeOptions {
  /** Plan only. */
  readonly dryRun?: boolean;
  /** Hash of the plan that was looked at; "" for any. */
  readonly planHash?: string;
  /** The cluster's name, for one-way steps. */
  readonly confirm?: string;
  readonly accept?: readonly AcceptableRisk[];
  /**
   * Ends the wait for a change that takes its time, and nothing else: without
   * it the wait is as long as for any other answer. The change goes on.
   */
  readonly signal?: AbortSignal;
}

/** `ChangeOptions` as requests carry them. */
export interface Terms {
  readonly dryRun: boolean;
  readonly planHash: string;
  readonly confirm: string;
  readonly accept: string[];
}

export function termsOf(given: ChangeOptions = {}): Terms {
  const { dryRun = false, planHash = "", confirm = "", accept = [] } = given;
  return { dryRun, planHash, confirm, accept: [...accept] };
}
