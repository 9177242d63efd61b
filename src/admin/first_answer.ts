import type { ConnectError } from "@connectrpc/connect";
import type { HttpClientPort } from "../io/http.ts";
import { pause } from "../io/pause.ts";
import { type ClusterStatus, statusOf } from "./cluster_status.ts";
import { AdminUnreachableError } from "./errors.ts";
import {
  type CallOptions,
  callOptions,
  type LinkOptions,
  type MemberLink,
  silenceOf,
} from "./member_link.ts";

/** A member that says nothing for as long has the next one asked beside it. */
const PATIENCE_MS = 1_000;

/** Asks one member; `call` ends it once another one has answered. */
export type Ask<T> = (link: MemberLink, call: CallOptions) => Promise<T>;

/**
 * The first answer of `links`, for a call that changes nothing: they are asked
 * in turn, beside one that takes its time, and those that last answered first.
 *
 * @throws {AdminUnreachableError} When none answers.
 * @throws {NodeError} What the one that spoke refused with.
 */
export async function firstAnswer<T>(
  links: readonly MemberLink[],
  options: LinkOptions,
  ask: Ask<T>,
): Promise<T> {
  const cut = new AbortController();
  const call = { ...callOptions(options), signal: cut.signal };
  const waiting = links.toSorted((a, b) => doubtOf(a) - doubtOf(b));
  const pending = new Map<MemberLink, Promise<Told<T>>>();
  let last: ConnectError | null = null;
  try {
    while (waiting.length + pending.size > 0) {
      const next = waiting.shift();
      if (next !== undefined) pending.set(next, tell(next, call, ask));
      const isLast = waiting.length === 0;
      const told = await soonest([...pending.values()], isLast, options);
      if (told === null) {
        for (const link of pending.keys()) link.trust.isSilent = true;
        continue;
      }
      if (told.kind === "answer") return told.answer;
      if (told.kind === "refusal") throw told.error;
      pending.delete(told.link);
      last = told.error;
    }
  } finally {
    cut.abort();
  }
  throw new AdminUnreachableError(links.map(({ baseUrl }) => baseUrl), {
    cause: last,
  });
}

type Told<T> =
  & { readonly link: MemberLink }
  & (
    | { readonly kind: "answer"; readonly answer: T }
    | { readonly kind: "refusal"; readonly error: unknown }
    | { readonly kind: "silence"; readonly error: ConnectError }
  );

/** Never rejects: nobody may be listening any more. */
async function tell<T>(
  link: MemberLink,
  call: CallOptions,
  ask: Ask<T>,
): Promise<Told<T>> {
  try {
    const answer = await ask(link, call);
    link.trust.isSilent = false;
    return { link, kind: "answer", answer };
  } catch (error) {
    try {
      const silence = silenceOf(error);
      // Cut off as another one was faster, it did nothing wrong.
      if (call.signal?.aborted !== true) link.trust.isSilent = true;
      return { link, kind: "silence", error: silence };
    } catch (refusal) {
      return { link, kind: "refusal", error: refusal };
    }
  }
}

/** `null` when it is time to ask the next one. */
async function soonest<T>(
  pending: readonly Promise<Told<T>>[],
  isLast: boolean,
  { clock }: LinkOptions,
): Promise<Told<T> | null> {
  if (isLast) return await Promise.race(pending);
  const over = new AbortController();
  try {
    return await Promise.race([
      ...pending,
      pause(PATIENCE_MS, clock, over.signal).then(() => null),
    ]);
  } finally {
    over.abort();
  }
}

/** Who has not answered is asked last, and before it who knows no leader. */
function doubtOf({ trust }: MemberLink): number {
  return trust.isSilent ? 2 : trust.isLost ? 1 : 0;
}

export interface MemberSays {
  readonly link: MemberLink;
  readonly status: ClusterStatus;
}

/** Asked for and not yet sent, by the connections they go over. */
const asked = new WeakMap<HttpClientPort, Map<string, Promise<MemberSays>>>();

/**
 * The status, and who gave it: the first of `links` that answers, or one that
 * knows a leader when that one knows none: it may be cut off.
 *
 * Who asks in the same turn gets the same answer: a look at a cluster is many
 * calls at once, and most of them begin with this one.
 *
 * @throws {AdminUnreachableError} When none answers.
 * @throws {NodeError} What the one that spoke refused with.
 */
export function firstStatus(
  links: readonly MemberLink[],
  options: LinkOptions,
): Promise<MemberSays> {
  const { http } = options;
  const whom = links.map(({ baseUrl }) => baseUrl).join();
  const known = asked.get(http) ?? new Map<string, Promise<MemberSays>>();
  const same = known.get(whom);
  if (same !== undefined) return same;
  const status = askFirst(links, options);
  asked.set(http, known.set(whom, status));
  // Later it might be older than what who asks has just done.
  queueMicrotask(() => known.delete(whom));
  return status;
}

async function askFirst(
  links: readonly MemberLink[],
  options: LinkOptions,
): Promise<MemberSays> {
  const first = await firstAnswer(links, options, askStatus);
  let others = links;
  for (let says = first; says.status.leader === "";) {
    const { link } = says;
    others = others.filter((one) => one !== link);
    if (others.length === 0) return first;
    try {
      says = await firstAnswer(others, options, askStatus);
    } catch (error) {
      if (error instanceof AdminUnreachableError) return first;
      throw error;
    }
    if (says.status.leader !== "") return says;
  }
  return first;
}

/** What one member says of the cluster. */
export async function askStatus(
  link: MemberLink,
  call: CallOptions,
): Promise<MemberSays> {
  const status = statusOf(await link.calls.getStatus({}, call));
  link.trust.isLost = status.leader === "";
  return { link, status };
}
