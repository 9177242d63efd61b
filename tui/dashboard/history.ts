import type { MemberVitals } from "../../src/admin/client.ts";
import { clusterRates, type Rates, ratesBetween, vitalsOf } from "./rates.ts";

/** As wide as a terminal gets. */
const POINTS_MAX = 300;

/** Rates one look after another, newest last; `null` where there is a gap. */
export type Course = readonly (Rates | null)[];

export interface History {
  readonly cluster: Course;
  readonly members: ReadonlyMap<string, Course>;
  /** The last look, that the next one is compared with. */
  readonly last: readonly MemberVitals[];
}

export const NO_HISTORY: History = {
  cluster: [],
  members: new Map(),
  last: [],
};

/** Adds a look; forgets members that are none any more. */
export function withLook(
  history: History,
  look: readonly MemberVitals[],
): History {
  const { cluster, members, last } = history;
  // Nothing to compare the first one with: no gap, no point.
  if (last.length === 0) return { ...history, last: look };
  return {
    cluster: added(cluster, clusterRates(last, look)),
    members: new Map(look.map(({ member, vitals }) => {
      const before = vitalsOf(last, member);
      const rates = vitals === null || before === null
        ? null
        : ratesBetween(before, vitals);
      return [member, added(members.get(member) ?? [], rates)];
    })),
    last: look,
  };
}

/** Of the last look; `null` for a gap. */
export function newest(course: Course): Rates | null {
  return course.at(-1) ?? null;
}

function added(course: Course, rates: Rates | null): Course {
  return [...course, rates].slice(-POINTS_MAX);
}
