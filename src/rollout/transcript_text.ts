import type { AcceptableRisk } from "../admin/client.ts";
import { shellWord } from "../base/shell.ts";
import type { StepCommand } from "./command.ts";
import { replayLine } from "./command_text.ts";
import type { RunEvent } from "./run.ts";
import type { StepId } from "./step.ts";
import { timeText } from "../base/time_text.ts";

/** What a transcript begins with. */
export interface TranscriptHead {
  readonly cluster: string;
  readonly clusterId: string;
  /** Who begins it, or goes on with it, as user@host. */
  readonly actor: string;
  /** Unix ms. */
  readonly atMs: number;
  /** Of sealkv. */
  readonly version: string;
}

/** The beginning of a script that does again what was done. */
export function headText(head: TranscriptHead): string {
  const { cluster, clusterId, actor, atMs, version } = head;
  return [
    "#!/bin/sh",
    `# What turned encryption on in ${inComment(cluster)}.`,
    `# cluster-id: ${inComment(clusterId)}`,
    `# begun ${timeText(atMs)} by ${nameText(actor)}, sealkv ${version}`,
    "#",
    "# Run it to do the same on another cluster, whose members run with",
    "# --encryption-enabled and --kek already:",
    "#   CLUSTER=NAME SEALKV_ADMIN=HOST:PORT SEALKV_ADMIN_TOKEN=… sh THIS_FILE",
    "# SEALKV may be several words. Given again, it goes on where it stopped, but",
    "# for rotations, which it repeats.",
    "set -eu",
    `[ -n "\${CLUSTER:-}" ] || CLUSTER=${shellWord(inComment(cluster))}`,
    "SEALKV=${SEALKV:-sealkv}",
    "",
  ].join("\n");
}

/** Where another run goes on with the same file. */
export function resumedText({ actor, atMs, version }: TranscriptHead): string {
  const by = nameText(actor);
  return `\n# resumed ${timeText(atMs)} by ${by}, sealkv ${version}\n`;
}

export function askedText(
  step: StepId,
  event: Extract<RunEvent, { kind: "asked" }>,
  accept: readonly AcceptableRisk[],
): string {
  const { asked, atMs, afterIndex, command } = event;
  const line = asked === null ? null : activeLine(asked, accept);
  return `\n# step ${step}\n` +
    `# asked ${timeText(atMs)} after entry ${afterIndex}: ${
      inComment(line ?? command)
    }\n`;
}

export function answeredText(
  event: Extract<RunEvent, { kind: "answered" }>,
  tookMs: number,
  accept: readonly AcceptableRisk[],
): string {
  const { asked, atMs, isOthers, outcome } = event;
  const { index, plan, changed } = outcome;
  const words = [
    isOthers && changed
      ? "done by somebody else"
      : changed
      ? "done"
      : "done before, or by somebody else",
    ...index === 0n ? [] : [`at entry ${index}`],
    `took ${(tookMs / 1_000).toFixed(1)} s`,
    ...plan.hash === "" ? [] : [`plan ${plan.hash}`],
  ];
  const line = asked === null ? null : activeLine(asked, accept);
  const result = asked?.kind === "verify" ? "no cleartext is left" : words.join(
    ", ",
  );
  return `# done ${timeText(atMs)}: ${result}\n` +
    (line === null ? "" : `${line}\n`);
}

/** An unknown end stays open: the next run looks what came of it. */
export function failedText(
  { atMs, error }: Extract<RunEvent, { kind: "failed" }>,
): string {
  const isOpen = error.code === "ADMIN_OUTCOME_UNKNOWN" ||
    error.code === "NODE_OUTCOME_UNKNOWN";
  const word = isOpen ? "unknown" : "failed";
  const said = inComment(`${error.code}: ${error.message}`);
  return `# ${word} ${timeText(atMs)}: ${said}\n`;
}

/** A step that others took, or that was taken before. */
export function foundText(
  step: StepId,
  found: string,
  line: string,
): string {
  return `\n# step ${step}\n# ${found}\n${line}\n`;
}

/**
 * The command as the script gives it; `null` for one that only another run of
 * the same moment needs: to pause, and to go on.
 */
export function activeLine(
  command: StepCommand,
  accept: readonly AcceptableRisk[],
): string | null {
  switch (command.kind) {
    case "pause-rewrite":
      return null;
    case "resume-rewrite": {
      const { isFollowed, bytesPerSecond } = command;
      if (!isFollowed) return null;
      // In a cluster where none was started there is none to go on with.
      const rate = { bytesPerSecond: bytesPerSecond ?? 0, isFollowed };
      return replayLine({ kind: "start-rewrite", ...rate }, accept);
    }
    case "retire-dek":
      return `${replayLine(command, accept)} # key ${command.keyId}`;
    default:
      return replayLine(command, accept);
  }
}

/** One line of printable text, whatever it was. */
function inComment(text: string): string {
  return text.replaceAll(/\p{C}+/gu, "?");
}

function nameText(actor: string): string {
  return actor === "" ? "somebody" : inComment(actor);
}
