import { shellWord } from "../base/shell.ts";
import { formatSize } from "../base/size.ts";
import type { AcceptableRisk } from "../admin/client.ts";
import type { CommandTerms, StepCommand } from "./command.ts";
import { timeText } from "../base/time_text.ts";

const RISK_FLAG: Readonly<Record<AcceptableRisk, string>> = {
  "quorum-loss": "--accept-quorum-loss",
  "short-dwell": "--accept-short-dwell",
  "unrewritten": "--accept-unrewritten",
};

/** What a command line is made of; each is a word of a shell already. */
interface LineWords {
  /** As `sealkv`. */
  readonly program: string;
  /** The cluster's name. */
  readonly confirm: string;
  readonly accept: readonly AcceptableRisk[];
}

/** The command as a shell takes it. */
export function commandLine(
  command: StepCommand,
  { confirm, accept }: CommandTerms,
): string {
  return lineOf(command, {
    program: "sealkv",
    confirm: shellWord(confirm),
    accept,
  });
}

/**
 * The same for a script that is run on another cluster, where keys have other
 * ids: one that is replaced is named by what it is for.
 */
export function replayLine(
  command: StepCommand,
  accept: readonly AcceptableRisk[],
): string {
  const words = { program: "$SEALKV", confirm: '"$CLUSTER"', accept };
  if (command.kind !== "retire-dek") return lineOf(command, words);
  return [
    `$SEALKV encryption retire-dek --replaced ${command.purpose}`,
    ...flagsOf(command, words),
  ].join(" ");
}

/** Risks that `command` has, of those that were accepted. */
export function risksOf(
  { kind }: StepCommand,
  accept: readonly AcceptableRisk[],
): readonly AcceptableRisk[] {
  const own: readonly AcceptableRisk[] = kind === "enable-raft-envelope"
    ? ["short-dwell", "unrewritten"]
    : kind === "seal-cleartext" || kind === "retire-dek"
    ? ["short-dwell"]
    : [];
  return own.filter((risk) => accept.includes(risk));
}

/** Tells whether it wants the cluster's name. */
export function isOneWay({ kind }: StepCommand): boolean {
  return kind === "enable-storage-envelope" || kind === "seal-cleartext" ||
    kind === "enable-raft-envelope" || kind === "retire-dek";
}

function lineOf(command: StepCommand, words: LineWords): string {
  return [
    `${words.program} encryption ${wordsOf(command)}`,
    ...flagsOf(command, words),
  ].join(" ");
}

function flagsOf(command: StepCommand, words: LineWords): readonly string[] {
  const confirm = isOneWay(command) ? [`--confirm ${words.confirm}`] : [];
  const accepted = risksOf(command, words.accept)
    .map((risk) => RISK_FLAG[risk]);
  return [...confirm, ...accepted];
}

function wordsOf(command: StepCommand): string {
  switch (command.kind) {
    case "verify":
      return "status --verify";
    case "pause-rewrite":
      return "rewrite --pause";
    case "update-rollout":
      return command.dwellUntilMs === 0
        ? "dwell --end"
        : `dwell --until ${timeText(command.dwellUntilMs)}`;
    case "start-rewrite":
    case "resume-rewrite": {
      const { kind, bytesPerSecond: rate, isFollowed } = command;
      const resume = kind === "resume-rewrite" ? ["--resume"] : [];
      const isNamed = rate !== null && (rate > 0 || kind === "resume-rewrite");
      const bound = isNamed ? [`--rate ${rateText(rate)}`] : [];
      const follow = isFollowed ? ["--follow"] : [];
      return ["rewrite", ...resume, ...bound, ...follow].join(" ");
    }
    case "rotate-dek":
      return `rotate-dek --purpose ${command.purpose}`;
    case "retire-dek":
      return `retire-dek --key-id ${command.keyId}`;
    default:
      return command.kind;
  }
}

function rateText(bytesPerSecond: number): string {
  return bytesPerSecond === 0 ? "0" : formatSize(bytesPerSecond);
}
