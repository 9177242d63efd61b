import type { BackupFacts } from "../../app/backup/facts.ts";
import { uuidText } from "../../base/uuid.ts";

/** One object; u64 as strings. Its names are for ever: scripts read them. */
export function factsJson(facts: BackupFacts) {
  const { path, bytes, isSealed, verified, clusterName, records } = facts;
  return {
    ...{ path, bytes, sealed: isSealed, verified },
    cluster: clusterName,
    clusterId: idText(facts.clusterId),
    index: String(facts.index),
    term: String(facts.term),
    clock: clockText(facts.clockMs),
    members: facts.members,
    databases: facts.databases,
    records,
    keys: facts.keys,
  };
}

/** What is in a backup, a line a fact. */
export function factsLines(facts: BackupFacts): readonly string[] {
  const { bytes, clusterName, records, databases, keys, isSealed } = facts;
  const id = idText(facts.clusterId) ?? "without an id";
  const count = records === null ? "not counted" : String(records);
  return [
    `cluster   ${clusterName || "(no name)"} ${id}`,
    `state of  entry ${facts.index}, term ${facts.term}, ${
      clockText(facts.clockMs)
    }`,
    `members   ${facts.members.join(" ") || "(none)"}`,
    `records   ${count}, databases ${databases + 1}`,
    `bytes     ${bytes}, ${isSealed ? "sealed" : "in cleartext"}`,
    ...keys.map(({ id, purpose, keks }) =>
      `key       ${id} ${purpose}, under ${keks.join(" ")}`
    ),
  ];
}

function idText(id: Uint8Array | null): string | null {
  return id === null ? null : uuidText(id);
}

function clockText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
}
