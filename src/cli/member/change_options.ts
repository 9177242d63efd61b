import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { durationArgument } from "../options.ts";

/** What every change of the members can be told. */
export interface ChangeFlags {
  readonly dryRun?: true | undefined;
  readonly plan?: string | undefined;
  readonly json?: true | undefined;
}

/** What a one-way change can be told besides. */
export interface OneWayFlags extends ChangeFlags {
  readonly confirm?: string | undefined;
  readonly acceptQuorumLoss?: true | undefined;
}

export function dryRunOption() {
  return new Option("--dry-run", "print the plan and its hash, change nothing");
}

export function planOption() {
  return new Option(
    "--plan <HASH>",
    "carry out this plan only: refused when the cluster changed since",
  ).argParser(planArgument);
}

export function confirmOption() {
  return new Option(
    "--confirm <CLUSTER>",
    "the cluster's name: this step cannot be undone (else it is asked for)",
  );
}

export function acceptQuorumLossOption() {
  return new Option(
    "--accept-quorum-loss",
    "go on although too few voters would be up to decide anything",
  );
}

export function acceptShortDwellOption() {
  return new Option(
    "--accept-short-dwell",
    "go on although the dwell that was asked for is not over",
  );
}

export function acceptUnrewrittenOption() {
  return new Option(
    "--accept-unrewritten",
    "go on although records may still be cleartext, and nothing says that " +
      "they no longer are",
  );
}

/** For steps that members take their time for. */
export function longWaitOption() {
  return new Option(
    "--wait <DURATION>",
    "longest wait; the cluster goes on after it (else as long as it takes)",
  ).argParser(durationArgument);
}

/** With `--no-wait` beside it. */
export function waitOption() {
  return new Option("--wait <DURATION>", "longest wait until it is a voter")
    .default(60_000, "60s")
    .argParser(durationArgument);
}

function planArgument(text: string): string {
  if (/^[0-9a-f]{16}$/.test(text)) return text;
  throw new InvalidArgumentError(
    "Write the 16 hex digits that --dry-run printed.",
  );
}
