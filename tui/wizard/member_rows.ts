import type { MemberEncryption } from "../../src/admin/client.ts";
import type { RolloutSnapshot } from "../../src/rollout/snapshot.ts";
import type { Tone } from "../look.ts";
import type { Column } from "../parts/columns.ts";
import { hanging, type Row, row } from "./paragraph.ts";

/** A member as the wizard shows it; all of it is text. */
export interface MemberRow {
  readonly name: string;
  readonly role: string;
  readonly up: "yes" | "NO";
  readonly ready: "yes" | "NO" | "-";
  /** How the id of its KEK begins; its end is asked for elsewhere. */
  readonly kek: string;
  readonly store: string;
  readonly log: string;
  readonly lag: string;
  readonly applied: string;
  readonly isWell: boolean;
}

const UNKNOWN = "?";
const LAG_MAX = 1_000n;
const KEK_DIGITS = 4;

export function memberRows(
  { status, members }: RolloutSnapshot,
): readonly MemberRow[] {
  const known = new Map(members.map((member) => [member.member, member]));
  return status.members.map((member) => {
    const { name, up, ready, lag, applied, isVoter } = member;
    const encryption = known.get(name);
    const isBehind = lag > LAG_MAX;
    return {
      name,
      role: isVoter || member.role === "unknown" ? member.role : "learner",
      up: up ? "yes" : "NO",
      // What it said before it went.
      ready: !up ? "-" : ready ? "yes" : "NO",
      kek: kekText(encryption),
      ...cutovers(encryption),
      lag: isBehind ? `${lag} !` : String(lag),
      applied: String(applied),
      isWell: up && ready && !isBehind,
    };
  });
}

function kekText(member: MemberEncryption | undefined): string {
  const own = member?.encryption?.own;
  if (own === undefined) return UNKNOWN;
  const [id] = own.kekIds;
  if (id === undefined) return "none";
  // After the kind of its source, as in file:5447a64c49889adf.
  return id.slice(id.lastIndexOf(":") + 1).slice(0, KEK_DIGITS);
}

/** What it seals from now on: in its store, and in its log. */
function cutovers(member: MemberEncryption | undefined) {
  const encryption = member?.encryption;
  if (encryption === undefined || encryption === null) {
    return { store: UNKNOWN, log: UNKNOWN };
  }
  const { cleartextLockIndex, raftCutoverIndex, storageCutoverIndex } =
    encryption;
  return {
    store: cleartextLockIndex > 0n
      ? "locked"
      : storageCutoverIndex > 0n
      ? "sealed"
      : "clear",
    log: raftCutoverIndex > 0n ? "sealed" : "clear",
  };
}

/** Where there is no room some go: applied, then lag, KEK, role. */
export const MEMBER_COLUMNS: readonly Column<MemberRow>[] = [
  {
    title: "node",
    priority: 0,
    widthMax: 20,
    cell: ({ name, isWell }) => ({
      text: name,
      tone: isWell ? "plain" : "bad",
    }),
  },
  { title: "role", priority: 2, cell: ({ role }) => role },
  { title: "up", priority: 0, cell: ({ up }) => yesOrNo(up) },
  { title: "ready", priority: 0, cell: ({ ready }) => yesOrNo(ready) },
  { title: "KEK", priority: 3, cell: ({ kek }) => kekCell(kek) },
  { title: "store", priority: 1, cell: ({ store }) => sealedCell(store) },
  { title: "log", priority: 1, cell: ({ log }) => sealedCell(log) },
  {
    title: "lag",
    priority: 4,
    align: "right",
    cell: ({ lag }) => ({
      text: lag,
      tone: lag.endsWith("!") ? "bad" : "plain",
    }),
  },
  {
    title: "applied",
    priority: 5,
    align: "right",
    cell: ({ applied }) => applied,
  },
];

function yesOrNo(text: string) {
  return { text, tone: toneIf(text === "NO", "bad") };
}

function kekCell(text: string) {
  return { text, tone: toneIf(text === "none", "bad") };
}

function sealedCell(text: string) {
  const isSealed = text === "sealed" || text === "locked";
  return { text, tone: toneIf(isSealed, "good") };
}

function toneIf(holds: boolean, tone: Tone): Tone {
  return holds ? tone : "plain";
}

/** All members on one row, for terminals without room for a table. */
export function memberStrip(snapshot: RolloutSnapshot): Row {
  return memberRows(snapshot).flatMap(({ name, role, up, ready, isWell }) => {
    const word = up === "NO" ? "NO" : ready === "NO" ? "not ready" : "ok";
    const lead = role === "leader" ? " leader" : "";
    return [
      { text: ` ${name}${lead} ` },
      { text: word, tone: isWell ? "good" : "bad" } as const,
      { text: " " },
    ];
  });
}

/** What each member says of itself, in full. */
export function memberDetailRows(
  snapshot: RolloutSnapshot,
  width: number,
): readonly Row[] {
  const known = new Map(
    snapshot.members.map((member) => [member.member, member]),
  );
  const issue = (text: string) =>
    hanging([{ text: "  [!] ", tone: "bad" }], { text, tone: "bad", width });
  return snapshot.status.members.flatMap((member): readonly Row[] => {
    const said = known.get(member.name);
    const silence = said?.failure ?? null;
    const gaps = said?.encryption?.own.gaps ?? [];
    const { adminAddress, clientAddress, replication } = member;
    return [
      [
        { text: member.name, tone: "strong" },
        { text: `  id ${member.id}` },
        {
          text: replication === "unknown"
            ? ""
            : `  replication: ${replication}`,
        },
      ],
      row(`  clients  ${clientAddress || "-"}`),
      row(`  admin    ${adminAddress || "-"}`),
      ...silence === null ? [] : issue(silence.message),
      ...gaps.flatMap(issue),
    ];
  });
}
