import type { ClusterMember, ClusterStatus } from "../admin/client.ts";

export type StatusView = ClusterStatus;

const PHASES = ["capable", "storage envelope on", "raft envelope on"];

/** One object; u64 as strings. Its names are for ever: scripts read them. */
export function statusJson(status: StatusView): string {
  const { cluster, clusterId, node, leader, phase, ready } = status;
  const json = {
    cluster,
    clusterId,
    node,
    leader,
    term: String(status.term),
    commit: String(status.commit),
    applied: String(status.applied),
    phase,
    ready,
    members: status.members.map((member) => ({
      name: member.name,
      role: member.role,
      up: member.up,
      ready: member.ready,
      lag: String(member.lag),
      applied: String(member.applied),
      phase: member.phase,
    })),
  };
  return `${JSON.stringify(json)}\n`;
}

/** Everything on one screen; all states are words, colour only repeats them. */
export function statusScreen(status: StatusView, isColored: boolean): string {
  const head = [
    `cluster ${status.cluster || "(no name yet)"}`,
    `leader ${status.leader || "(none)"}`,
    `term ${status.term}`,
    `phase ${phaseText(status.phase)}`,
    `seen by ${status.node}`,
  ].join("   ");
  const rows = [
    ["name", "role", "up", "ready", "lag", "applied", "phase"],
    ...status.members.map(cells),
  ];
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0))
  );
  const lines = rows.map((row, position) => {
    const text = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column >= 4 ? cell.padStart(width) : cell.padEnd(width);
    }).join("  ").trimEnd();
    const member = status.members[position - 1];
    return isColored ? paint(text, member) : text;
  });
  return `${head}\n\n${lines.join("\n")}\n`;
}

/** One member on one line, for outputs that are no terminal. */
export function statusLine(status: StatusView, member: ClusterMember): string {
  const [name, role, up, ready, lag, applied, phase] = cells(member);
  return `cluster=${status.cluster} term=${status.term} name=${name} ` +
    `role=${role} up=${up} ready=${ready} lag=${lag} applied=${applied} ` +
    `phase=${phase}\n`;
}

function cells(member: ClusterMember): readonly string[] {
  return [
    member.name,
    member.role,
    member.up ? "yes" : "NO",
    member.ready ? "yes" : "NO",
    String(member.lag),
    String(member.applied),
    String(member.phase),
  ];
}

function phaseText(phase: number): string {
  const name = PHASES[phase];
  return name === undefined ? String(phase) : `${phase} (${name})`;
}

function paint(text: string, member: ClusterMember | undefined): string {
  if (member === undefined) return `\x1b[1m${text}\x1b[0m`;
  return member.up && member.ready ? text : `\x1b[31m${text}\x1b[0m`;
}
