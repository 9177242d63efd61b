import { NodeError } from "../base/error.ts";
import { AdminUnreachableError } from "./errors.ts";
import { callLeader, type LeaderCallOptions } from "./leader_call.ts";
import { callOptions, type MemberLink, silenceOf } from "./member_link.ts";
import { pause } from "../io/pause.ts";

/**
 * A stream that says nothing for as long has lost its member: it speaks every
 * second, or a few when members are slow to tell the leader.
 */
const STREAM_SILENCE_MS = 15_000;
/** Nobody was heard for as long: whoever follows is told. */
const LOST_MS_MAX = 60_000;
/** Before a new leader is looked for. */
const AGAIN_MS = 500;
/** Codes of a leader that went: another one goes on. */
const PASSING = new Set([
  "ADMIN_NO_LEADER",
  "ADMIN_STOPPING",
  "ADMIN_UNREACHABLE",
  "NODE_NOT_LEADER",
  "NODE_NOT_READY",
]);

export interface LeaderStreamOptions<M>
  extends Omit<LeaderCallOptions, "isRepeatable"> {
  /** Ends the stream, without an error. */
  readonly signal: AbortSignal;
  open(
    link: MemberLink,
    call: {
      readonly headers: Readonly<Record<string, string>>;
      readonly signal: AbortSignal;
    },
  ): AsyncIterable<M>;
}

/**
 * What the leader tells, until it ends the stream.
 *
 * @throws {NodeError} As callLeader, AdminUnreachableError also amid the stream.
 */
export async function* leaderStream<M>(
  options: LeaderStreamOptions<M>,
): AsyncGenerator<M, void> {
  const { clock, signal, open } = options;
  const { headers } = callOptions(options);
  const cut = new AbortController();
  const listen = () => clock.after(STREAM_SILENCE_MS, () => cut.abort());
  const ends = AbortSignal.any([signal, cut.signal]);
  let baseUrl = "";
  let timer = listen();
  try {
    const { items, first } = await callLeader(
      { ...options, isRepeatable: true },
      async (link) => {
        baseUrl = link.baseUrl;
        const items = open(link, { headers, signal: ends })
          [Symbol.asyncIterator]();
        return { items, first: await firstOf(items, link, ends) };
      },
    );
    for (let item = first; !item.done; item = await items.next()) {
      timer.cancel();
      yield item.value;
      // A reader that takes its time is no silence.
      timer = listen();
    }
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof NodeError) throw error;
    throw new AdminUnreachableError([baseUrl], { cause: silenceOf(error) });
  } finally {
    timer.cancel();
    cut.abort();
  }
}

/** Silence is final once the stream has ended: nobody is asked again. */
async function firstOf<M>(
  items: AsyncIterator<M>,
  { baseUrl }: MemberLink,
  ends: AbortSignal,
): Promise<IteratorResult<M>> {
  try {
    return await items.next();
  } catch (cause) {
    throw ends.aborted
      ? new AdminUnreachableError([baseUrl], { cause })
      : cause;
  }
}

/**
 * The same, from the next leader when one goes; ends with `signal` alone.
 *
 * @throws {NodeError} When nobody was heard for LOST_MS_MAX, or at all.
 */
export async function* anyLeaderStream<M>(
  options: LeaderStreamOptions<M>,
): AsyncGenerator<M, void> {
  const { clock, signal } = options;
  let heardMs: number | null = null;
  while (!signal.aborted) {
    try {
      for await (const message of leaderStream(options)) {
        heardMs = clock.monotonicMs();
        yield message;
      }
    } catch (error) {
      const isPassing = error instanceof NodeError && PASSING.has(error.code) &&
        heardMs !== null && clock.monotonicMs() - heardMs < LOST_MS_MAX;
      if (!isPassing) throw error;
    }
    await pause(AGAIN_MS, clock, signal);
  }
}
