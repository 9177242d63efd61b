import type { ClusterEvent } from "../admin/client.ts";
import { TranscriptForeignError } from "./errors.ts";
import type { StepId } from "./step.ts";

/** What a transcript says of the runs before. */
export interface PriorTranscript {
  /** Steps that the script takes whole. */
  readonly taken: ReadonlySet<StepId>;
  /** The command that was asked for last, when nothing tells its end. */
  readonly open: OpenCommand | null;
}

export interface OpenCommand {
  readonly step: StepId;
  /** As the script is to give it. */
  readonly line: string;
  readonly afterIndex: bigint;
}

/** The command of each step that ends it, as active lines begin. */
const LAST_VERBS: Readonly<Record<string, StepId>> = {
  "enable-storage-envelope": "storage",
  rewrite: "rewrite",
  "seal-cleartext": "seal",
  "enable-raft-envelope": "raft",
  scrub: "scrub",
};

/**
 * Reads a transcript back.
 *
 * @throws {TranscriptForeignError} It is another file, or of another cluster.
 */
export function readTranscript(
  text: string,
  { path, clusterId }: { readonly path: string; readonly clusterId: string },
): PriorTranscript {
  const id = /^#!\/bin\/sh\n(?:#.*\n)*?# cluster-id: (.*)\n/.exec(text)?.[1];
  if (id === undefined) {
    throw new TranscriptForeignError(path, "no transcript of a rollout");
  }
  if (id !== clusterId) {
    throw new TranscriptForeignError(path, `of another cluster, "${id}"`);
  }
  const taken = new Set<StepId>();
  let step: StepId | null = null;
  let open: OpenCommand | null = null;
  for (const line of text.split("\n")) {
    const asked = /^# asked \S+ after entry (\d+): (.*)$/.exec(line);
    const [, index = "", command = ""] = asked ?? [];
    const verb = /^\$SEALKV encryption (\S+)/.exec(line)?.[1] ?? "";
    const last = LAST_VERBS[verb];
    if (line.startsWith("# step ")) step = line.slice(7) as StepId;
    else if (asked !== null && step !== null) {
      open = { step, line: command, afterIndex: BigInt(index) };
    } else if (/^# (?:done|failed) /.test(line)) open = null;
    if (last !== undefined) taken.add(last);
  }
  return { taken, open };
}

/** The event by which the history shows that an open command was done. */
export function eventOf(
  { line, afterIndex }: OpenCommand,
  events: readonly ClusterEvent[],
): ClusterEvent | null {
  const verb = /^\$SEALKV encryption (\S+)/.exec(line)?.[1] ?? "";
  const detail = /# (key \d+)$/.exec(line)?.[1] ??
    /--purpose (\S+)/.exec(line)?.[1];
  return events.find((event) =>
    event.action === verb && event.result === "done" &&
    event.index > afterIndex &&
    (detail === undefined || event.detail === detail)
  ) ?? null;
}
