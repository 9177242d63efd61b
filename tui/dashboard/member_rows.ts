import type { ClusterMember } from "../../src/admin/client.ts";
import { countText, latencyText } from "./amount.ts";
import { newest } from "./history.ts";
import type { Quantile } from "./rates.ts";
import type { Seen } from "./seen.ts";

/** A lag above this keeps one-way steps from being taken. */
export const LAG_MAX = 1_000n;

/** A member as a row shows it; all of it is text. */
export interface MemberRow {
  readonly name: string;
  readonly role: string;
  readonly up: string;
  readonly ready: string;
  readonly lag: string;
  readonly applied: string;
  readonly phase: string;
  /** "-" when the member does not say it. */
  readonly requests: string;
  readonly p99: string;
  readonly isWell: boolean;
  readonly isLeader: boolean;
}

export function memberRows(seen: Seen): readonly MemberRow[] {
  return seen.status.members.map((member) => {
    const course = seen.history.members.get(member.name) ?? [];
    const rates = newest(course);
    return {
      name: member.name,
      role: roleText(member),
      up: member.up ? "yes" : "NO",
      ready: member.ready ? "yes" : "NO",
      lag: lagText(member),
      applied: String(member.applied),
      phase: String(member.phase),
      requests: rates === null ? "-" : countText(rates.requests),
      p99: quantileText(rates?.p99 ?? null),
      isWell: member.up && member.ready && member.lag <= LAG_MAX,
      isLeader: member.role === "leader",
    };
  });
}

/** A learner has no vote, whatever else it is. */
export function roleText({ role, isVoter }: ClusterMember): string {
  return isVoter || role === "unknown" ? role : "learner";
}

/** "-" where nothing was measured. */
export function quantileText(quantile: Quantile | null): string {
  if (quantile === null) return "-";
  return `${quantile.isOver ? ">" : ""}${latencyText(quantile.ms)}`;
}

function lagText({ lag }: ClusterMember): string {
  return lag > LAG_MAX ? `${lag} !` : String(lag);
}
