import type {
  ClusterEncryption,
  ClusterKey,
  ClusterRollout,
  ClusterScan,
  ClusterTask,
  MemberEncryption,
} from "../../admin/client.ts";
import { paint, phaseText } from "../status_view.ts";
import { shortened, tableLines } from "../table.ts";
import { wrapped } from "../wrap.ts";
import { type Agreement, agreementLine } from "./agreement.ts";
import { rewriteJson } from "./rewrite_follow.ts";
import { rewriteLines } from "./rewrite_look.ts";
import { timeText } from "../../base/time_text.ts";
import { scanJson, scanLines } from "./verify_view.ts";

const NAME_COLUMNS_MAX = 16;
/** What is left of 80 columns beside the others. */
const KEK_COLUMNS_MAX = 29;

export interface EncryptionView {
  /** Whose words about the cluster are shown. */
  readonly shown: ClusterEncryption;
  /** Members that have a row. */
  readonly members: readonly MemberEncryption[];
  /** Of all members. */
  readonly agreement: Agreement;
  readonly rollout: ClusterRollout;
  /** How far members are with the rewrite; `null` when nobody can say. */
  readonly tasks: readonly ClusterTask[] | null;
  /** Counts of records; `null` when nobody was asked to count. */
  readonly scans: readonly ClusterScan[] | null;
}

/** One object; u64 as strings. Its names are for ever: scripts read them. */
export function encryptionJson(view: EncryptionView): string {
  const { shown, members, agreement, rollout, tasks, scans } = view;
  const { rewrite, dwellUntilMs } = rollout;
  const json = {
    agree: agreement.isAgreed,
    silent: agreement.silent,
    node: shown.node,
    clusterId: shown.clusterId,
    phase: shown.phase,
    stateIndex: String(shown.stateIndex),
    storageCutoverIndex: String(shown.storageCutoverIndex),
    raftCutoverIndex: String(shown.raftCutoverIndex),
    cleartextLockIndex: String(shown.cleartextLockIndex),
    keys: shown.keys.map(keyJson),
    retired: shown.retired,
    members: members.map(memberJson),
    rewrite: rewriteJson(rewrite, tasks),
    dwellUntil: dwellUntilMs === 0n ? null : timeText(dwellUntilMs),
    ...scans === null ? {} : { records: scans.map(scanJson) },
  };
  return `${JSON.stringify(json)}\n`;
}

function keyJson(key: ClusterKey) {
  const { id, purpose, isActive: active, keks } = key;
  return {
    id,
    purpose,
    active,
    created: timeText(key.createdMs),
    createdIndex: String(key.createdIndex),
    deactivatedIndex: String(key.deactivatedIndex),
    keks,
    writers: key.writers.map((writer) => ({
      member: writer.member,
      fullNodeId: nodeIdText(writer.fullNodeId),
      firstEpoch: writer.firstEpoch,
      lastEpoch: writer.lastEpoch,
    })),
  };
}

function memberJson({ member, encryption, failure }: MemberEncryption) {
  if (encryption === null) {
    const { code, message, remedy } = failure;
    return { member, error: { code, message, remedy } };
  }
  const { applied, phase, stateIndex, own } = encryption;
  return {
    member,
    applied: String(applied),
    phase,
    stateIndex: String(stateIndex),
    enabled: own.isEnabled,
    gaps: own.gaps,
    kekIds: own.kekIds,
    sidecarIndex: String(own.sidecarIndex),
    epochs: own.epochs,
  };
}

/** Everything on one screen; all states are words, colour only repeats them. */
export function encryptionScreen(
  view: EncryptionView,
  isColored: boolean,
): string {
  const { shown, members, agreement, scans } = view;
  const title = (line: string) => isColored ? paint(line, "1") : line;
  const alarm = (line: string) => isColored ? paint(line, "31") : line;
  const [keyHeader = "", ...keys] = keyLines(shown.keys);
  const [memberHeader = "", ...rows] = memberLines(members);
  const agreed = agreementLine(agreement);
  const [scanHeader = "", ...counts] = scans === null
    ? []
    : scanLines(scans, shown);
  return [
    ...headLines(shown),
    ...rolloutLines(view),
    "",
    ...shown.keys.length === 0
      ? ["no keys yet: `sealkv encryption bootstrap` draws them"]
      : [title(keyHeader), ...keys, ...writerLines(shown.keys)],
    "",
    title(memberHeader),
    ...rows.map((row, i) => members[i]?.encryption ? row : alarm(row)),
    ...remedyLines(members),
    ...scans === null ? [] : ["", title(scanHeader), ...counts],
    "",
    agreement.isAgreed ? agreed : alarm(agreed),
    "",
  ].join("\n");
}

/** Where the cluster is on the ladder. */
function headLines(shown: ClusterEncryption): readonly string[] {
  const { phase, stateIndex, storageCutoverIndex, raftCutoverIndex } = shown;
  const { cleartextLockIndex, node } = shown;
  const head = [`phase ${phaseText(phase)}`, `state index ${stateIndex}`];
  const seen = `seen by ${node}`;
  if (storageCutoverIndex === 0n) {
    return [[...head, "cleartext allowed", seen].join("   ")];
  }
  const since = (index: bigint) =>
    index === 0n ? "not yet" : `from entry ${index}`;
  const sealed = [
    `records sealed ${since(storageCutoverIndex)}`,
    `cleartext locked ${since(cleartextLockIndex)}`,
    `log sealed ${since(raftCutoverIndex)}`,
  ];
  return [[...head, seen].join("   "), ...wrapped(sealed.join(", "))];
}

/** What is under way, or waited for. */
function rolloutLines(
  { rollout, tasks }: Pick<EncryptionView, "rollout" | "tasks">,
): readonly string[] {
  const { rewrite, dwellUntilMs } = rollout;
  const dwell = dwellUntilMs === 0n
    ? []
    : [`dwell until ${timeText(dwellUntilMs)}: later one-way steps wait`];
  return [...dwell, ...rewriteLines({ rewrite, tasks })];
}

/** A key on one line, and a line more for each further KEK. */
function keyLines(keys: readonly ClusterKey[]): readonly string[] {
  return tableLines([
    ["key", "purpose", "active", "created", "wrapped under"],
    ...keys.flatMap(({ id, purpose, isActive, createdMs, keks }) => {
      const [first = "-", ...others] = keks
        .map((kek) => shortened(kek, KEK_COLUMNS_MAX));
      const active = purpose === "state" ? "-" : isActive ? "yes" : "no";
      return [
        [String(id), purpose, active, timeText(createdMs), first],
        ...others.map((kek) => ["", "", "", "", kek]),
      ];
    }),
  ], new Set([0]));
}

/** Who may have sealed with a key, by epochs. */
function writerLines(keys: readonly ClusterKey[]): readonly string[] {
  return keys.filter(({ writers }) => writers.length > 0)
    .map(({ id, writers }) => {
      const list = writers.map(({ member, fullNodeId, ...epochs }) => {
        const name = member || `node ${nodeIdText(fullNodeId)}`;
        return `${name} ${epochs.firstEpoch}-${epochs.lastEpoch}`;
      });
      return `writers of ${id}, by epoch: ${list.join(", ")}`;
    });
}

function memberLines(members: readonly MemberEncryption[]): readonly string[] {
  return tableLines([
    ["member", "encryption", "applied", "sidecar", "gaps", "KEKs"],
    ...members.map(({ member, encryption }) => {
      const name = shortened(member, NAME_COLUMNS_MAX);
      if (encryption === null) return [name, "NO ANSWER", "-", "-", "-", "-"];
      const { applied, own } = encryption;
      return [
        name,
        own.isEnabled ? "on" : "off",
        String(applied),
        own.sidecarIndex === 0n ? "none" : String(own.sidecarIndex),
        own.gaps.length === 0 ? "none" : String(own.gaps.length),
        own.kekIds.map((kek) => shortened(kek, KEK_COLUMNS_MAX)).join(", ") ||
        "none",
      ];
    }),
  ], new Set([2, 3]));
}

/** What each member lacks, and what to do about it. */
function remedyLines(members: readonly MemberEncryption[]): readonly string[] {
  const lines = members.flatMap(({ member, encryption, failure }) =>
    encryption === null
      ? [`${member}: ${failure.message}: ${failure.remedy}`]
      : encryption.own.gaps.map((gap) => `${member}: ${gap}`)
  );
  return lines.length === 0 ? [] : ["", ...lines];
}

function nodeIdText(fullNodeId: bigint): string {
  return fullNodeId.toString(16).padStart(16, "0");
}
