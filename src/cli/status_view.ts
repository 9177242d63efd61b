import type { ClusterMember, ClusterStatus } from "../admin/client.ts";
import { rewriteJson } from "./encryption/rewrite_follow.ts";
import { rewriteLines, type RewriteLook } from "./encryption/rewrite_look.ts";
import { shortened, tableLines } from "./table.ts";

const PHASES = ["capable", "storage envelope on", "raft envelope on"];
const COLUMNS = 80;
const NAME_COLUMNS_MAX = 16;
/** lag, applied, phase. */
const RIGHT = new Set([5, 6, 7]);

/**
 * One object; u64 as strings. Its names are for ever: scripts read them.
 * `look` `null`: the rewrite was not asked for, or nobody told it.
 */
export function statusJson(
  status: ClusterStatus,
  look: RewriteLook | null = null,
): string {
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
    members: status.members.map(memberJson),
    ...look === null ? {} : { rewrite: rewriteJson(look.rewrite, look.tasks) },
  };
  return `${JSON.stringify(json)}\n`;
}

/** A member as every command shows it in JSON. */
export function memberJson(member: ClusterMember) {
  const { name, role, up, ready, phase, isVoter, hasStarted } = member;
  const { replication, peerAddress, clientAddress, adminAddress } = member;
  return {
    name,
    role,
    up,
    ready,
    lag: String(member.lag),
    applied: String(member.applied),
    phase,
    id: String(member.id),
    isVoter,
    replication,
    peerAddress,
    clientAddress,
    adminAddress,
    hasStarted,
  };
}

export interface ScreenOptions {
  readonly isColored: boolean;
  /** `null`: the rewrite is not shown. */
  readonly look?: RewriteLook | null;
}

/** Everything on one screen; all states are words, colour only repeats them. */
export function statusScreen(
  status: ClusterStatus,
  { isColored, look = null }: ScreenOptions,
): string {
  const head = [
    `cluster ${status.cluster || "(no name yet)"}`,
    `leader ${status.leader || "(none)"}`,
    `term ${status.term}`,
    `phase ${phaseText(status.phase)}`,
    `seen by ${status.node}`,
  ].join("   ");
  const [header = "", ...rows] = tableLines([
    ["", "name", "role", "up", "ready", "lag", "applied", "phase", "feed"],
    ...status.members.map(cells),
  ], RIGHT);
  const lines = rows.map((row, position) =>
    isColored && !isWell(status.members[position]) ? paint(row, "31") : row
  );
  return [
    head,
    ...look === null ? [] : rewriteLines(look),
    "",
    isColored ? paint(header, "1") : header,
    ...lines,
    ...addressLines(status.members, isColored),
    "",
  ].join("\n");
}

/** One member on one line, for outputs that are no terminal. */
export function statusLine(
  status: ClusterStatus,
  member: ClusterMember,
): string {
  const [, , role, up, ready, lag, applied, phase, feed] = cells(member);
  return `cluster=${status.cluster} term=${status.term} name=${member.name} ` +
    `role=${role} up=${up} ready=${ready} lag=${lag} applied=${applied} ` +
    `phase=${phase} feed=${feed}\n`;
}

function cells(member: ClusterMember): readonly string[] {
  return [
    member.role === "leader" ? "*" : "",
    shortened(member.name, NAME_COLUMNS_MAX),
    roleText(member),
    member.up ? "yes" : "NO",
    member.ready ? "yes" : "NO",
    String(member.lag),
    String(member.applied),
    String(member.phase),
    member.replication === "unknown" ? "-" : member.replication,
  ];
}

/** A learner has no vote, whatever else it is. */
function roleText({ role, isVoter }: ClusterMember): string {
  return isVoter || role === "unknown" ? role : "learner";
}

/** Where members are reached; nothing while none has said it. */
export function addressLines(
  members: readonly ClusterMember[],
  isColored = false,
): readonly string[] {
  const given = members.filter((member) =>
    member.peerAddress + member.clientAddress + member.adminAddress !== ""
  );
  if (given.length === 0) return [];
  const names = given.map(({ name }) => shortened(name, NAME_COLUMNS_MAX));
  const first = Math.max(4, ...names.map(({ length }) => length));
  // The mark of the leader, and two spaces before each of the others.
  const length = Math.floor((COLUMNS - 3 - first - 6) / 3);
  const cell = (address: string) =>
    address === "" ? "-" : shortened(address, length);
  const [header = "", ...rows] = tableLines([
    ["", "name", "clients", "peers", "operators"],
    ...given.map((member, position) => [
      member.role === "leader" ? "*" : "",
      names[position] ?? "",
      cell(member.clientAddress),
      cell(member.peerAddress),
      cell(member.adminAddress),
    ]),
  ]);
  return ["", isColored ? paint(header, "1") : header, ...rows];
}

function isWell(member: ClusterMember | undefined): boolean {
  return member === undefined || member.up && member.ready;
}

export function phaseText(phase: number): string {
  const name = PHASES[phase];
  return name === undefined ? String(phase) : `${phase} (${name})`;
}

/** `style` is an SGR number: 1 bold, 31 red. */
export function paint(text: string, style: string): string {
  return `\x1b[${style}m${text}\x1b[0m`;
}
