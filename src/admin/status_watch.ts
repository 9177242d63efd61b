import { type ClusterStatus, statusOf } from "./cluster_status.ts";
import {
  callOptions,
  type LinkOptions,
  type MemberLink,
  silenceOf,
} from "./member_link.ts";
import { pause } from "../io/pause.ts";
import { KEEPALIVE_MS } from "./status_stream.ts";

/** Two keepalives are missing and a third is due. */
const SILENCE_MS = 2.5 * KEEPALIVE_MS;
/** Time between two rounds over all members. */
const ROUND_MS = 1_000;
/** Time before the next member after one that spoke. */
const AGAIN_MS = 100;

/** What a watch of the cluster tells. */
export type StatusEvent =
  | { readonly kind: "status"; readonly status: ClusterStatus }
  /** No member of the list answers; told once a round. */
  | {
    readonly kind: "silence";
    /** Time since the last status, or since the watch began. */
    readonly sinceMs: number;
    readonly reason: string;
  };

export interface StatusWatchOptions extends LinkOptions {
  readonly links: readonly MemberLink[];
  /** Ends the watch, without an error. */
  readonly signal: AbortSignal;
}

/**
 * Follows the first member of the list that speaks, and the next one when it
 * stops.
 *
 * @throws {NodeError} What a member refused with.
 */
export async function* watchStatus(
  options: StatusWatchOptions,
): AsyncGenerator<StatusEvent, void> {
  const { links, clock, signal } = options;
  const seen = { atMs: clock.monotonicMs(), isHeard: false };
  let silentCount = 0;
  for (let turn = 0; !signal.aborted; turn += 1) {
    seen.isHeard = false;
    const link = links[turn % links.length] as MemberLink;
    const reason = yield* follow(link, options, seen);
    if (signal.aborted) return;
    silentCount = seen.isHeard ? 0 : silentCount + 1;
    if (silentCount >= links.length) {
      silentCount = 0;
      const sinceMs = clock.monotonicMs() - seen.atMs;
      yield { kind: "silence", sinceMs, reason };
      await pause(ROUND_MS, clock, signal);
    } else if (seen.isHeard) await pause(AGAIN_MS, clock, signal);
  }
}

interface Seen {
  atMs: number;
  isHeard: boolean;
}

/** One member until it stops; returns why. */
async function* follow(
  { baseUrl, calls }: MemberLink,
  options: StatusWatchOptions,
  seen: Seen,
): AsyncGenerator<StatusEvent, string> {
  const { clock, signal } = options;
  const { headers } = callOptions(options);
  const cut = new AbortController();
  const listen = () => clock.after(SILENCE_MS, () => cut.abort());
  let timer = listen();
  try {
    const ends = AbortSignal.any([signal, cut.signal]);
    for await (
      const { status } of calls.watchStatus({}, { headers, signal: ends })
    ) {
      timer.cancel();
      if (status !== undefined) {
        seen.atMs = clock.monotonicMs();
        seen.isHeard = true;
        yield { kind: "status", status: statusOf(status) };
      }
      // A reader that takes its time is no silence.
      timer = listen();
    }
    return `${baseUrl} ended the stream`;
  } catch (error) {
    if (signal.aborted) return "";
    return `${baseUrl}: ${
      cut.signal.aborted ? "it is silent" : silenceOf(error).rawMessage
    }`;
  } finally {
    timer.cancel();
    cut.abort();
  }
}
