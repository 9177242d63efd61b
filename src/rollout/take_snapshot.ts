import type {
  AdminClient,
  ClusterRewriteProgress,
  ClusterStatus,
  MemberEncryption,
} from "../admin/client.ts";
import { NodeError } from "../base/error.ts";
import type { Clock } from "../io/clock.ts";
import { planRollout } from "./plan_rollout.ts";
import { rehearse } from "./rehearse.ts";
import type { RolloutChoices, RolloutSnapshot } from "./snapshot.ts";
import type { StepId } from "./step.ts";

export interface SnapshotOptions {
  readonly clock: Clock;
  readonly choices: RolloutChoices;
  /** What is not asked anew is taken from it; `null` for none. */
  readonly previous: RolloutSnapshot | null;
  /**
   * Have the leader ask every member for a proof, and rehearse a step: for the
   * entry of a screen, every few seconds there, and before a step is taken.
   */
  readonly isFull: boolean;
  /** Step to rehearse when `isFull`; else the first that is not done. */
  readonly rehearse?: StepId;
}

/** A leader answers at once; without one the stream would wait for the next. */
const REWRITE_MS_MAX = 2_000;

/**
 * All that is known of a cluster now, asked at once. What cannot be asked is
 * `null` or empty in it.
 *
 * @throws {NodeError} No member answers at all, or the token is refused.
 */
export async function takeSnapshot(
  client: AdminClient,
  options: SnapshotOptions,
): Promise<RolloutSnapshot> {
  const { clock, choices, previous, isFull } = options;
  const [
    status,
    members,
    capabilities,
    rollout,
    rewrite,
    underWay,
    events,
    vitals,
  ] = await Promise.all([
    client.getStatus(),
    orElse(client.encryptionOfMembers(), null),
    isFull
      ? orElse(client.capabilities(), null)
      : previous?.capabilities ?? null,
    orElse(client.rollout(), null),
    orElse(rewriteOf(client, clock), null),
    orElse(client.changeUnderWay(), null),
    orElse(client.events(), previous?.events ?? []),
    orElse(client.vitalsOfMembers(), []),
  ]);
  const known: RolloutSnapshot = {
    atMs: clock.wallMs(),
    status,
    members: inOrder(status, members ?? []),
    capabilities,
    rollout,
    rewrite,
    underWay,
    events,
    vitals,
    rehearsal: null,
  };
  if (!isFull) return { ...known, rehearsal: carriedOver(known, previous) };
  const step = options.rehearse ?? planRollout(known, choices).next;
  const rehearsal = step === null
    ? null
    : await rehearse(client, step, { snapshot: known, choices });
  return { ...known, rehearsal };
}

/** What a leader said holds for it, and for its term, at most. */
function carriedOver(
  { status }: RolloutSnapshot,
  previous: RolloutSnapshot | null,
): RolloutSnapshot["rehearsal"] {
  const isSame = previous?.status.leader === status.leader &&
    previous.status.term === status.term;
  return isSame ? previous.rehearsal : null;
}

/** Once, and not from a leader that is yet to be found. */
async function rewriteOf(
  client: AdminClient,
  clock: Clock,
): Promise<ClusterRewriteProgress | null> {
  const end = new AbortController();
  const timer = clock.after(REWRITE_MS_MAX, () => end.abort());
  try {
    for await (const progress of client.watchRewrite(end.signal)) {
      return progress;
    }
    return null;
  } finally {
    timer.cancel();
    end.abort();
  }
}

function inOrder(
  { members }: ClusterStatus,
  answers: readonly MemberEncryption[],
): readonly MemberEncryption[] {
  const place = new Map(members.map(({ name }, index) => [name, index]));
  const placeOf = (one: MemberEncryption) => place.get(one.member) ?? 0;
  return answers.toSorted((a, b) => placeOf(a) - placeOf(b));
}

/** One question that fails is no reason not to tell the rest. */
async function orElse<T, E>(answer: Promise<T>, other: E): Promise<T | E> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof NodeError) return other;
    throw error;
  }
}
