import type { Clock } from "../io/clock.ts";
import {
  AdminNoLeaderError,
  AdminOutcomeUnknownError,
  AdminUnreachableError,
  RemoteError,
} from "./errors.ts";
import { askStatus, firstAnswer, firstStatus } from "./first_answer.ts";
import {
  linkBeside,
  type LinkOptions,
  type MemberLink,
  silenceOf,
} from "./member_link.ts";

/** More members than this name another one only while they quarrel. */
const HOPS_MAX = 5;
/**
 * Time for the leader that others name to say so itself, at first; doubled each
 * time: it may be busy, and it may be one that they are about to replace.
 */
const PROOF_MS = 1_000;
/** Time between two looks for a leader. */
const LOOK_MS = 200;

export interface LeaderCallOptions extends LinkOptions {
  /** Members to ask first. */
  readonly links: readonly MemberLink[];
  /** A call that changes nothing may be sent again after silence. */
  readonly isRepeatable: boolean;
}

/**
 * Makes one call at the leader, found from any member, within `timeoutMs`.
 *
 * A call that may have changed something is sent once to a leader that has just
 * answered; it goes elsewhere only when it was refused for the leadership.
 *
 * @throws {AdminUnreachableError} When no member answers.
 * @throws {AdminNoLeaderError} When none leads.
 * @throws {AdminOutcomeUnknownError} When the leader did not answer the call.
 * @throws {NodeError} What it refused with.
 */
export async function callLeader<T>(
  options: LeaderCallOptions,
  call: (link: MemberLink) => Promise<T>,
): Promise<T> {
  const { clock, isRepeatable } = options;
  const untilMs = clock.monotonicMs() + options.timeoutMs;
  let link = await findLeader(options, untilMs);
  for (let hops = 0;; hops += 1) {
    try {
      return await call(link);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === null && !isRepeatable) {
        throw new AdminOutcomeUnknownError(link.baseUrl, { cause: error });
      }
      const isLate = clock.monotonicMs() >= untilMs;
      if (hops === HOPS_MAX || isLate) {
        throw refusal ??
          new AdminUnreachableError([link.baseUrl], { cause: error });
      }
      link = namedLeader(refusal, link, options) ??
        await later(clock, () => findLeader(options, untilMs));
    }
  }
}

/** A refusal after which another member may do it; `null` for silence. */
function refusalOf(error: unknown): RemoteError | null {
  try {
    silenceOf(error);
    return null;
  } catch (refusal) {
    const isElsewhere = refusal instanceof RemoteError &&
      (refusal.code === "NODE_NOT_LEADER" || refusal.code === "NODE_NOT_READY");
    if (isElsewhere) return refusal;
    throw refusal;
  }
}

/** Who the refusing member says leads, dialled as that member was. */
function namedLeader(
  refusal: RemoteError | null,
  from: MemberLink,
  options: LeaderCallOptions,
): MemberLink | null {
  const address = refusal?.details["leader_admin"] ?? "";
  return address === "" ? null : linkBeside(from, address, options);
}

/** A member that has just said that it leads. */
async function findLeader(
  options: LeaderCallOptions,
  untilMs: number,
): Promise<MemberLink> {
  const { links, clock, timeoutMs } = options;
  let last: unknown;
  for (let proofMs = PROOF_MS;; proofMs *= 2) {
    const { link, status } = await firstStatus(links, options);
    const { node, leader, members } = status;
    if (leader !== "" && leader === node) return link;
    const address = members.find(({ name }) => name === leader)?.adminAddress;
    if (leader !== "" && address !== undefined && address !== "") {
      const candidate = linkBeside(link, address, options);
      const own = { ...options, timeoutMs: Math.min(timeoutMs, proofMs) };
      try {
        const { status } = await firstAnswer([candidate], own, askStatus);
        if (status.leader === status.node) return candidate;
      } catch (error) {
        if (!(error instanceof AdminUnreachableError)) throw error;
        last = error;
      }
    }
    if (clock.monotonicMs() + LOOK_MS >= untilMs) {
      throw new AdminNoLeaderError(timeoutMs, { cause: last });
    }
    await later(clock, () => Promise.resolve());
  }
}

async function later<T>(clock: Clock, task: () => Promise<T>): Promise<T> {
  await new Promise<void>((resolve) => {
    clock.after(LOOK_MS, resolve);
  });
  return await task();
}
