import assert from "node:assert/strict";

/** Who speaks to the database, and what it is. */
export interface ExamContext {
  readonly client: "deno" | "npm";
  /** `local` is `Deno.openKv(":memory:")`, which judges the cases themselves. */
  readonly backend: "remote" | "local";
  /** The case's own database. */
  readonly kv: Deno.Kv;
  /** Opens the case's database once more, closed after it. */
  open(): Promise<Deno.Kv>;
  /** Opens another database of that server, closed after the case. */
  openOther(suffix: string): Promise<Deno.Kv>;
  /** Opens the case's database with another access token. */
  openWithToken(token: string): Promise<Deno.Kv>;
  /** The client's own KvU64. */
  u64(value: bigint): Deno.KvU64;
}

/** One question of the exam, in a database of its own. */
export interface ExamCase {
  readonly name: string;
  /** Why the case is not for a client or a backend. */
  readonly skip?: {
    readonly npm?: string;
    readonly local?: string;
    /** Deno before 2.9, whose client lacks it. */
    readonly oldDeno?: string;
  };
  run(context: ExamContext): Promise<void>;
}

export const ZERO_VERSIONSTAMP = "00000000000000000000";

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Processes that share a clock count it in whole milliseconds. */
const ROUNDING_MS = 5;

/**
 * Tells whether a key that was set for `lifeMs`, no earlier than `fromMs`, must
 * be there still. To be asked after a read: one that took longer may rightly
 * have found nothing.
 */
export function mustLive(fromMs: number, lifeMs: number): boolean {
  return Date.now() - fromMs < lifeMs - ROUNDING_MS;
}

/** Asks until `holds`, or fails with `what` after `msMax`. */
export async function eventually(
  what: string,
  msMax: number,
  holds: () => Promise<boolean> | boolean,
): Promise<void> {
  const until = Date.now() + msMax;
  while (!await holds()) {
    assert.ok(Date.now() < until, `${what} within ${msMax} ms`);
    await sleep(20);
  }
}

/** Takes `work` or fails with `what` after `msMax`. */
export async function within<T>(
  what: string,
  msMax: number,
  work: Promise<T>,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what} within ${msMax} ms`)),
      msMax,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** All entries of a listing. */
export async function collect<T>(
  listing: Deno.KvListIterator<T>,
): Promise<Deno.KvEntry<T>[]> {
  const entries: Deno.KvEntry<T>[] = [];
  for await (const entry of listing) entries.push(entry);
  return entries;
}

/** The value of one key. */
export async function valueAt(
  kv: Deno.Kv,
  key: Deno.KvKey,
): Promise<unknown> {
  return (await kv.get(key)).value;
}

/** The number in a stored KvU64. */
export async function u64At(kv: Deno.Kv, key: Deno.KvKey): Promise<bigint> {
  const value = await valueAt(kv, key);
  assert.ok(
    typeof value === "object" && value !== null && "value" in value &&
      typeof value.value === "bigint",
    "the value is a KvU64",
  );
  return value.value;
}

/** Asserts a commit, and returns its versionstamp. */
export function committed(
  result: Deno.KvCommitResult | Deno.KvCommitError,
): string {
  assert.ok(result.ok, "the commit passed its checks");
  assert.match(result.versionstamp, /^[0-9a-f]{20}$/);
  assert.ok(result.versionstamp > ZERO_VERSIONSTAMP);
  return result.versionstamp;
}

/** Asserts that a commit failed a check. */
export function refused(
  result: Deno.KvCommitResult | Deno.KvCommitError,
): void {
  assert.equal(result.ok, false, "a check of the commit failed");
}

/** Deno makes a plain Error of what a remote refuses, with its text in it. */
const REMOTE_ERROR = /^KV Connect failed|not supported in KV Connect$/;

/**
 * Asserts that `work` fails with this text in its message, whatever the client
 * says around it. What Deno itself refuses is a TypeError besides.
 */
export async function rejects(
  { client, backend }: ExamContext,
  text: string | RegExp,
  work: () => Promise<unknown>,
): Promise<void> {
  await assert.rejects(
    async () => await work(),
    (error) => {
      assert.ok(error instanceof Error, "an Error is thrown");
      const isRemote = backend === "remote" &&
        REMOTE_ERROR.test(error.message);
      if (client === "deno" && !isRemote) {
        assert.ok(error instanceof TypeError, `a TypeError, not ${error}`);
      }
      if (typeof text === "string") {
        const said = error.message.toLowerCase();
        assert.ok(
          said.includes(text.toLowerCase()),
          `"${text}" is in "${error.message}"`,
        );
      } else assert.match(error.message, text);
      return true;
    },
  );
}

/** A mutation that the types of some client do not foresee. */
export function mutation(fields: {
  readonly type: string;
  readonly key: unknown;
  readonly value?: unknown;
}): Deno.KvMutation {
  return fields as unknown as Deno.KvMutation;
}
