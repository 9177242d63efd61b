import type {
  ClusterEncryption,
  ClusterMember,
  Vitals,
} from "../../src/admin/client.ts";
import { sizeText } from "../../src/base/size.ts";
import { timeText } from "../../src/base/time_text.ts";
import { ageText, countText, percentText, thousands } from "./amount.ts";
import type { EventRow } from "./event_rows.ts";
import type { Fact } from "./facts.ts";
import { newest } from "./history.ts";
import { issuesOf } from "./issues.ts";
import { type KeyRow, sealsOf } from "./key_rows.ts";
import { memberRows, roleText } from "./member_rows.ts";
import { vitalsOf } from "./rates.ts";
import type { Seen } from "./seen.ts";

/** All that is known of a member; nothing of one that is gone. */
export function memberFacts(seen: Seen, name: string): readonly Fact[] {
  const member = seen.status.members.find((one) => one.name === name);
  if (member === undefined) return [];
  const vitals = vitalsOf(seen.history.last, name);
  const encryption = seen.encryption.find((one) => one.member === name)
    ?.encryption ?? null;
  const issues = issuesOf(seen).filter((issue) => issue.member === name);
  return [
    ...issues.flatMap(({ text, remedy, isWarning }): Fact[] => [
      isWarning
        ? { label: "warning", value: text, tone: "warn" }
        : { label: "issue", value: text, tone: "bad" },
      { label: "fix", value: remedy },
    ]),
    ...placeFacts(member),
    ...encryption === null ? [] : keyFactsOf(encryption),
    ...vitals === null ? [] : vitalsFacts(seen, name, vitals),
  ];
}

function placeFacts(member: ClusterMember): readonly Fact[] {
  const { up, ready, lag, applied, phase, replication, id } = member;
  const word = (is: boolean) => is ? "yes" : "NO";
  const address = (text: string) => text === "" ? "-" : text;
  return [
    {
      label: "role",
      value: `${roleText(member)}, up ${word(up)}, ready ${word(ready)}`,
    },
    {
      label: "applied",
      value: `${applied}, ${lag} behind, phase ${phase}` +
        (replication === "unknown" ? "" : `, fed by ${replication}`),
    },
    { label: "clients", value: address(member.clientAddress) },
    { label: "peers", value: address(member.peerAddress) },
    { label: "operators", value: address(member.adminAddress) },
    { label: "raft id", value: String(id) },
  ];
}

function keyFactsOf({ own }: ClusterEncryption): readonly Fact[] {
  const { isEnabled, kekIds, sidecarIndex, epochs } = own;
  return [
    { label: "encryption", value: isEnabled ? "on" : "off" },
    { label: "KEKs", value: kekIds.length === 0 ? "none" : kekIds.join(", ") },
    {
      label: "sidecar",
      value: sidecarIndex === 0n ? "none" : `as of entry ${sidecarIndex}`,
    },
    ...epochs.map(({ keyId, epoch }, row): Fact => ({
      label: row === 0 ? "epochs" : "",
      value: `${epoch} of key ${keyId}`,
    })),
  ];
}

function vitalsFacts(
  seen: Seen,
  name: string,
  vitals: Vitals,
): readonly Fact[] {
  const { uptimeMs, residentBytes, diskFreeBytes, diskTotalBytes } = vitals;
  const rates = newest(seen.history.members.get(name) ?? []);
  const row = memberRows(seen).find((one) => one.name === name);
  const free = Number(diskFreeBytes);
  return [
    { label: "runs for", value: ageText(Number(uptimeMs)) },
    { label: "memory", value: sizeText(Number(residentBytes)) },
    {
      label: "disk free",
      value: diskTotalBytes === 0n
        ? "not told"
        : `${sizeText(free)} of ${sizeText(Number(diskTotalBytes))}, ` +
          percentText(free / Number(diskTotalBytes)),
    },
    {
      label: "requests",
      value: `${thousands(vitals.requests)} since then` +
        (rates === null || row === undefined
          ? ""
          : `, ${row.requests}/s now, p99 ${row.p99}`),
    },
    {
      label: "log",
      value: `${thousands(vitals.walSyncs)} syncs, ` +
        `${sizeText(Number(vitals.walBytes))} written` +
        (rates === null ? "" : `, ${sizeText(rates.walBytes)}/s now`),
    },
    { label: "elections", value: thousands(vitals.elections) },
    ...vitals.seals.map(({ keyId, count }, position): Fact => ({
      label: position === 0 ? "sealed" : "",
      value: `${countText(Number(count))} under key ${keyId}`,
    })),
  ];
}

export function keyFacts(
  { key, state, age }: KeyRow,
  seen: Seen,
): readonly Fact[] {
  const { id, purpose, createdMs, createdIndex, deactivatedIndex } = key;
  const seals = purpose === "state" ? [] : sealsOf(id, seen.history.last);
  const use = state === "active"
    ? "active: it seals now"
    : state === "old"
    ? "old: it only opens"
    : "it never seals";
  return [
    { label: "purpose", value: purpose },
    { label: "state", value: use },
    {
      label: "created",
      value: `${timeText(Number(createdMs))}, ${age} ago, by entry ` +
        createdIndex,
    },
    ...deactivatedIndex === 0n
      ? []
      : [{ label: "replaced", value: `by entry ${deactivatedIndex}` }],
    ...key.keks.map((kek, row): Fact => ({
      label: row === 0 ? "wrapped under" : "",
      value: kek,
    })),
    ...seals.map(({ member, count }, row): Fact => ({
      label: row === 0 ? "sealed" : "",
      value: `${member}  ${thousands(count)} since it runs`,
    })),
    ...key.writers.map((writer, row): Fact => ({
      label: row === 0 ? "writers" : "",
      value: `${writerText(writer)}  epochs ${writer.firstEpoch} to ` +
        writer.lastEpoch,
    })),
  ];
}

function writerText({ member, fullNodeId }: {
  readonly member: string;
  readonly fullNodeId: bigint;
}): string {
  if (member !== "") return member;
  return `node ${fullNodeId.toString(16).padStart(16, "0")}`;
}

export function eventFacts(row: EventRow): readonly Fact[] {
  const { event, age, actor, result, isWell } = row;
  const { atMs, action, planHash, entry, index, detail } = event;
  return [
    { label: "asked for", value: action },
    { label: "result", value: result, tone: isWell ? "plain" : "bad" },
    ...detail === "" ? [] : [{ label: "detail", value: detail }],
    { label: "by", value: actor },
    { label: "at", value: `${timeText(Number(atMs))}, ${age} ago` },
    { label: "plan", value: planHash === "" ? "none" : planHash },
    {
      label: "entry",
      value: entry === 0n ? "none" : `${entry}, recorded by ${index}`,
    },
  ];
}
