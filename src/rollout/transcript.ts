import type { AcceptableRisk, ClusterEvent } from "../admin/client.ts";
import type { StepCommand } from "./command.ts";
import type { RunEvent } from "./run.ts";
import type { RolloutPlan, StepId } from "./step.ts";
import { eventOf, readTranscript } from "./transcript_read.ts";
import {
  activeLine,
  answeredText,
  askedText,
  failedText,
  foundText,
  headText,
  resumedText,
  type TranscriptHead,
} from "./transcript_text.ts";

export type { TranscriptHead } from "./transcript_text.ts";

/** Where lines of a transcript go, as they happen; resolves when durable. */
export interface TranscriptSink {
  /** As messages name it. */
  readonly path: string;
  /** What it holds of runs before; "" for a new one. */
  readonly before: string;
  append(text: string): Promise<void>;
}

export interface TranscriptOptions {
  readonly head: TranscriptHead;
  readonly accept: readonly AcceptableRisk[];
  /** The cluster as this run finds it. */
  readonly plan: RolloutPlan;
  readonly events: readonly ClusterEvent[];
}

/** Commands that take the steps of the ladder in any cluster. */
const LADDER: readonly (readonly [StepId, StepCommand])[] = [
  ["storage", { kind: "enable-storage-envelope" }],
  ["rewrite", { kind: "start-rewrite", bytesPerSecond: 0, isFollowed: true }],
  ["seal", { kind: "seal-cleartext" }],
  ["raft", { kind: "enable-raft-envelope" }],
  ["scrub", { kind: "scrub" }],
];

/**
 * Text of a script of what was done: each command with its result, as it
 * happens, so that a kill loses nothing. A later run goes on in the same file,
 * and looks there what became of the last command of the run before.
 *
 * What others did is in it as well: run on another cluster, it comes to the
 * same end.
 */
export interface TranscriptWriter {
  /** To be appended at once; "" for a new file: nothing is done yet. */
  readonly opening: string;
  /**
   * To be appended; "" for an event that leaves nothing. Give it all events of
   * a step, in order. `accept`, when other risks are accepted by now.
   */
  event(
    step: StepId,
    event: RunEvent,
    accept?: readonly AcceptableRisk[],
  ): string;
}

/** @throws {TranscriptForeignError} The file is something else. */
export function transcriptWriter(
  file: Pick<TranscriptSink, "path" | "before">,
  options: TranscriptOptions,
): TranscriptWriter {
  const isNew = file.before === "";
  let head = isNew ? beginning(options) : "";
  let askedMs = 0;
  return {
    opening: isNew ? "" : resumption(file, options),
    event(step, event, accept = options.accept) {
      if (event.kind === "asked") askedMs = event.atMs;
      const text = eventText(step, event, { askedMs, accept });
      if (text === "") return "";
      const whole = head + text;
      head = "";
      return whole;
    },
  };
}

interface Written {
  readonly askedMs: number;
  readonly accept: readonly AcceptableRisk[];
}

function eventText(
  step: StepId,
  event: RunEvent,
  { askedMs, accept }: Written,
): string {
  switch (event.kind) {
    case "progress":
      return "";
    case "asked":
      return askedText(step, event, accept);
    case "answered":
      return answeredText(event, Math.max(0, event.atMs - askedMs), accept);
    case "failed":
      // Nothing was asked for: there is nothing to tell.
      return event.asked === null ? "" : failedText(event);
  }
}

function beginning({ head, plan }: TranscriptOptions): string {
  const found = "done before this began; here for a cluster where it is not";
  const done = doneSteps(plan)
    .map(([step, line]) => foundText(step, found, line));
  return [headText(head), ...done].join("");
}

function resumption(
  { before, path }: Pick<TranscriptSink, "path" | "before">,
  { head, plan, events }: TranscriptOptions,
): string {
  const { clusterId } = head;
  const { taken, open } = readTranscript(before, { path, clusterId });
  const missed = doneSteps(plan).flatMap(([step, line]) => {
    if (taken.has(step)) return [];
    const isOpen = open?.step === step;
    const found = isOpen
      ? "done: the run before did not see its end"
      : "done by somebody else meanwhile";
    return [foundText(step, found, line)];
  });
  const isLadder = LADDER.some(([step]) => step === open?.step);
  const event = open === null || isLadder ? null : eventOf(open, events);
  const late = open === null || event === null ? [] : [
    foundText(
      open.step,
      `done at entry ${event.entry}: the run before did not see its end`,
      open.line,
    ),
  ];
  return [resumedText(head), ...missed, ...late].join("");
}

function doneSteps(plan: RolloutPlan): readonly (readonly [StepId, string])[] {
  const done = new Set(
    plan.steps.filter(({ state }) => state === "done").map(({ id }) => id),
  );
  const accept = done.has("seal") ? [] : ["unrewritten" as const];
  return LADDER.flatMap(([step, command]) => {
    const line = done.has(step) ? activeLine(command, accept) : null;
    return line === null ? [] : [[step, line] as const];
  });
}
