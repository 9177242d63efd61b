import { NodeError } from "../../src/base/error.ts";
import type { Clock } from "../../src/io/clock.ts";
import type {
  AdminClient,
  ClusterRewriteProgress,
  ClusterStatus,
  StatusEvent,
} from "../../src/admin/client.ts";
import { withLook } from "./history.ts";
import type { Seen } from "./seen.ts";
import { workOf } from "./work.ts";

/** What changes rarely is asked for every so many looks. */
const RARE_LOOKS = 5;
/** A leader says at once how far a rewrite is; there may be none. */
const REWRITE_MS_MAX = 2_000;

export interface FollowOptions {
  readonly client: AdminClient;
  readonly clock: Clock;
  /** Between two looks. */
  readonly intervalMs: number;
  readonly first: Seen;
  /** Called once a look, and when a member comes, goes or leads. */
  onSeen(seen: Seen): void;
  readonly signal: AbortSignal;
}

/**
 * Looks at a cluster until `signal` is aborted. What cannot be asked stays as
 * it was.
 *
 * @throws {NodeError} What a member refused the watch with.
 */
export async function followCluster(options: FollowOptions): Promise<void> {
  const ends = new AbortController();
  const signal = AbortSignal.any([options.signal, ends.signal]);
  const follower = new Follower({ ...options, signal });
  try {
    await Promise.all([follower.watch(), follower.look()]);
  } finally {
    ends.abort();
  }
}

class Follower {
  readonly #options: FollowOptions;
  #seen: Seen;
  #lookCount = 0;
  #isAsking = false;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#seen = options.first;
  }

  async watch(): Promise<void> {
    const { client, signal } = this.#options;
    for await (const event of client.watchStatus(signal)) this.#heard(event);
  }

  /** One look after another; who takes his time is not asked twice. */
  async look(): Promise<void> {
    const { clock, intervalMs, signal } = this.#options;
    const { promise, reject } = Promise.withResolvers<never>();
    const rounds = async () => {
      while (!signal.aborted) {
        if (this.#isAsking) this.#show({});
        else this.#ask().catch(reject);
        await waited(clock, intervalMs, signal);
      }
    };
    await Promise.race([rounds(), promise]);
  }

  async #ask(): Promise<void> {
    const { client, clock, signal } = this.#options;
    this.#isAsking = true;
    try {
      const isRare = this.#lookCount % RARE_LOOKS === 0;
      const isBusy = workOf(this.#seen).length > 0;
      this.#lookCount += 1;
      const { encryption, events, rewrite, underWay } = this.#seen;
      const rarely = async <T>(call: () => Promise<T>, known: T) =>
        isRare || isBusy ? await answerOr(call, known) : known;
      const [look, ...rest] = await Promise.all([
        answerOr(() => client.vitalsOfMembers(), null),
        rarely(() => client.encryptionOfMembers(), encryption),
        rarely(() => client.events(), events),
        rarely(() => firstRewrite(client, clock, signal), rewrite),
        rarely(() => client.changeUnderWay(), underWay),
      ]);
      const { history } = this.#seen;
      this.#show({
        history: look === null ? history : withLook(history, look),
        encryption: rest[0],
        events: rest[1],
        rewrite: rest[2] ?? rewrite,
        underWay: rest[3],
      });
    } finally {
      this.#isAsking = false;
    }
  }

  #heard(event: StatusEvent): void {
    const nowMs = this.#options.clock.wallMs();
    if (event.kind === "silence") {
      const { sinceMs, reason } = event;
      this.#show({ atMs: nowMs - sinceMs, silence: reason });
      return;
    }
    const before = this.#seen;
    const { status } = event;
    const more = { status, atMs: nowMs, silence: "" };
    // What counts upwards is shown with the next look.
    if (isNews(before.status, status) || before.silence !== "") {
      this.#show(more);
    } else this.#seen = { ...before, ...more };
  }

  #show(more: Partial<Seen>): void {
    const { clock, signal, onSeen } = this.#options;
    this.#seen = { ...this.#seen, ...more, nowMs: clock.wallMs() };
    if (!signal.aborted) onSeen(this.#seen);
  }
}

/** Anything but indexes and lags is another. */
function isNews(before: ClusterStatus, after: ClusterStatus): boolean {
  return newsOf(before) !== newsOf(after);
}

function newsOf({ leader, term, phase, members }: ClusterStatus): string {
  const words = members.map(({ name, role, isVoter, up, ready }) => (
    [name, role, isVoter, up, ready].join(" ")
  ));
  return [leader, term, phase, ...words].join("\n");
}

async function answerOr<T>(call: () => Promise<T>, known: T): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof NodeError) return known;
    throw error;
  }
}

/** `null` when no leader says it in time. */
async function firstRewrite(
  client: AdminClient,
  clock: Clock,
  signal: AbortSignal,
): Promise<ClusterRewriteProgress | null> {
  const cut = new AbortController();
  const timer = clock.after(REWRITE_MS_MAX, () => cut.abort());
  try {
    const ends = AbortSignal.any([signal, cut.signal]);
    for await (const progress of client.watchRewrite(ends)) return progress;
    return null;
  } finally {
    timer.cancel();
    cut.abort();
  }
}

function waited(
  clock: Clock,
  delayMs: number,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      timer.cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = clock.after(delayMs, end);
    signal.addEventListener("abort", end);
  });
}
