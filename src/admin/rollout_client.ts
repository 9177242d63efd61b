import { callLeader } from "./leader_call.ts";
import { anyLeaderStream, leaderStream } from "./leader_stream.ts";
import { firstAnswer } from "./first_answer.ts";
import {
  callOptions,
  type LinkOptions,
  type MemberLink,
} from "./member_link.ts";
import {
  changeUnderWayOf,
  type ClusterChangeUnderWay,
  type ClusterEvent,
  type ClusterRewriteProgress,
  type ClusterRollout,
  type ClusterScan,
  eventsOf,
  rewriteProgressOf,
  rolloutOf,
  scansOf,
} from "./rollout_status.ts";

/** What there is to see of the rollout, and of long tasks on members. */
export interface RolloutCalls {
  /** As the first member that answers has applied it. */
  rollout(): Promise<ClusterRollout>;
  /** Oldest first, as the first member that answers has applied it. */
  events(): Promise<readonly ClusterEvent[]>;
  /**
   * The change that members take their time for just now, as the leader sees
   * it; `null` for none.
   */
  changeUnderWay(): Promise<ClusterChangeUnderWay | null>;
  /**
   * How far members are with the rewrite: at once and every second, from the
   * next leader when one goes, until `signal` is aborted or the loop is left.
   */
  watchRewrite(signal?: AbortSignal): AsyncIterable<ClusterRewriteProgress>;
  /**
   * Has members count all their records (names; none: all of them). The last
   * item is the result; whole when the loop ends and `signal` is not aborted.
   */
  verifyRecords(
    members: readonly string[],
    signal?: AbortSignal,
  ): AsyncIterable<readonly ClusterScan[]>;
}

interface RolloutCallOptions extends LinkOptions {
  readonly links: readonly MemberLink[];
}

/** The part of the admin client that looks at the rollout. */
export function rolloutCalls(options: RolloutCallOptions): RolloutCalls {
  const { links } = options;
  const call = callOptions(options);
  return {
    rollout: () =>
      firstAnswer(
        links,
        options,
        async ({ encryption }, call) =>
          rolloutOf(await encryption.getRollout({}, call)),
      ),
    events: () =>
      firstAnswer(
        links,
        options,
        async ({ encryption }, call) =>
          eventsOf(await encryption.listEvents({}, call)),
      ),
    changeUnderWay: () =>
      callLeader(
        { ...options, isRepeatable: true },
        async ({ encryption }) =>
          changeUnderWayOf(await encryption.getChangeUnderWay({}, call)),
      ),
    watchRewrite: (signal = endless()) =>
      mapped(
        anyLeaderStream({
          ...options,
          signal,
          open: ({ encryption }, call) => encryption.watchRewrite({}, call),
        }),
        rewriteProgressOf,
      ),
    verifyRecords: (members, signal = endless()) =>
      mapped(
        leaderStream({
          ...options,
          signal,
          open: ({ encryption }, call) =>
            encryption.verifyRecords({ members: [...members] }, call),
        }),
        scansOf,
      ),
  };
}

function endless(): AbortSignal {
  return new AbortController().signal;
}

async function* mapped<From, To>(
  items: AsyncIterable<From>,
  map: (item: From) => To,
): AsyncGenerator<To, void> {
  for await (const item of items) yield map(item);
}
