import type { Bytes } from "../base/bytes.ts";
import {
  DATA_KEY_BYTES,
  KEY_ID_MAX,
  type KeyId,
  type KeyPurpose,
  type KeyWrap,
  NO_KEY,
  type WrappedKey,
} from "../base/data_key.ts";
import { equalConstantTime } from "../crypto/constant_time.ts";
import { commitmentOf, type Dek, importDek } from "../crypto/dek.ts";
import { wipe } from "../crypto/wipe.ts";
import type { Random } from "../io/random.ts";
import { CommitmentMismatchError, KekMismatchError } from "./errors.ts";
import { KekUnavailableError, WrapRejectedError } from "./kek_errors.ts";
import type { Kek, WrapContext } from "./port.ts";

/** What a data key is called and known by. */
export type KeyIdentity = Pick<WrappedKey, "id" | "purpose" | "commitment">;

/** What data keys are opened with. */
export interface Opening {
  /** 16 bytes. */
  readonly clusterId: Bytes;
  readonly keks: readonly Kek[];
  /** All keys of the cluster: tells whose a swapped wrap is. */
  readonly known: readonly WrappedKey[];
}

/** A KEK that is held in this process: its id is derived from its bytes. */
const LOCAL_ID = /^[a-z][a-z0-9+-]*:[0-9a-f]{16}$/;

/**
 * Draws a data key and wraps it under each of `keks`.
 *
 * @throws {KekUnavailableError} One of them does not answer.
 */
export async function drawDataKey(
  { random, keks }: { readonly random: Random; readonly keks: readonly Kek[] },
  given: {
    readonly clusterId: Bytes;
    readonly purpose: KeyPurpose;
    readonly taken: (id: KeyId) => boolean;
    readonly createdMs: number;
  },
): Promise<WrappedKey> {
  const { clusterId, purpose, taken, createdMs } = given;
  let id = NO_KEY;
  while (id === NO_KEY || taken(id)) id = random.below(KEY_ID_MAX + 1);
  const raw = random.bytes(DATA_KEY_BYTES);
  try {
    const dek = await importDek(raw);
    const commitment = await commitmentOf(dek, {
      clusterId,
      keyId: id,
      purpose,
    });
    const context = contextOf(clusterId, { id, purpose });
    const wraps = await wrapUnder(keks, raw, context);
    return { id, purpose, commitment, createdMs, wraps };
  } finally {
    wipe(raw);
  }
}

/**
 * Opens a data key by any one of its wraps, its commitment checked.
 *
 * @throws {KekUnavailableError} None opens, and one could not be tried.
 * @throws {KekMismatchError} Its wraps name no KEK of this node.
 * @throws {CommitmentMismatchError} Another key is in the wrap.
 * @throws {WrapRejectedError} A wrap of a KEK of this node is damaged.
 */
export async function openDataKey(
  opening: Opening,
  key: WrappedKey,
): Promise<Dek> {
  const { raw, dek } = await openRaw(opening, key);
  wipe(raw);
  return dek;
}

/**
 * The key's wraps under `under`; its bytes stay as they are.
 *
 * @throws As `openDataKey`.
 */
export async function rewrapDataKey(
  opening: Opening,
  key: WrappedKey,
  under: readonly Kek[],
): Promise<readonly KeyWrap[]> {
  const { raw } = await openRaw(opening, key);
  try {
    const context = contextOf(opening.clusterId, key);
    return await wrapUnder(under, raw, context);
  } finally {
    wipe(raw);
  }
}

/** Wraps of `secret` under each of `keks`, in their order. */
export async function wrapUnder(
  keks: readonly Kek[],
  secret: Bytes,
  context: WrapContext,
): Promise<readonly KeyWrap[]> {
  const wraps: KeyWrap[] = [];
  for (const kek of keks) {
    wraps.push({ kek: kek.id, wrapped: await kek.wrap(secret, context) });
  }
  return wraps;
}

/** Whether `dek` is the key that `key` commits to. */
export async function isCommittedTo(
  clusterId: Bytes,
  { id, purpose, commitment }: KeyIdentity,
  dek: Dek,
): Promise<boolean> {
  const actual = await commitmentOf(dek, { clusterId, keyId: id, purpose });
  return equalConstantTime(actual, commitment);
}

interface Attempt {
  readonly kek: Kek;
  readonly wrap: KeyWrap;
  /** The wrap names this KEK. */
  readonly isNamed: boolean;
}

/** The caller wipes `raw`. */
async function openRaw(
  opening: Opening,
  key: WrappedKey,
): Promise<{ readonly raw: Bytes; readonly dek: Dek }> {
  const { clusterId } = opening;
  const context = contextOf(clusterId, key);
  let unavailable: KekUnavailableError | null = null;
  let isOther = false;
  const rejected: { attempt: Attempt; error: WrapRejectedError }[] = [];
  for (const attempt of attemptsOf(opening.keks, key)) {
    const result = await unwrap(attempt, context);
    if (result instanceof WrapRejectedError) {
      if (attempt.isNamed) rejected.push({ attempt, error: result });
    } else if (result instanceof KekUnavailableError) {
      unavailable ??= result;
    } else {
      const dek = await committed(clusterId, key, result);
      if (dek !== null) return { raw: result, dek };
      wipe(result);
      isOther = true;
    }
  }
  if (unavailable !== null) throw unavailable;
  if (isOther) throw new CommitmentMismatchError(key.id);
  for (const { attempt } of rejected) {
    const holds = await ownerOf(attempt, opening, key);
    if (holds !== null) throw new CommitmentMismatchError(key.id, holds);
  }
  const [first] = rejected;
  if (first !== undefined) throw first.error;
  throw new KekMismatchError(
    key.id,
    key.wraps.map(({ kek }) => kek),
    opening.keks.map(({ id }) => id),
  );
}

async function committed(
  clusterId: Bytes,
  key: KeyIdentity,
  raw: Bytes,
): Promise<Dek | null> {
  if (raw.length !== DATA_KEY_BYTES) return null;
  const dek = await importDek(raw);
  return await isCommittedTo(clusterId, key, dek) ? dek : null;
}

/** Wraps with the KEK they name, then all others that cost no call. */
function attemptsOf(keks: readonly Kek[], { wraps }: WrappedKey): Attempt[] {
  const pairs = wraps.flatMap((wrap) =>
    keks.map((kek) => ({ kek, wrap, isNamed: wrap.kek === kek.id }))
  );
  return [
    ...pairs.filter(({ isNamed }) => isNamed),
    ...pairs.filter(({ kek, isNamed }) => !isNamed && isLocal(kek)),
  ];
}

/** The key whose wrap it is; `null` when that is not known. */
async function ownerOf(
  attempt: Attempt,
  { clusterId, known }: Opening,
  key: WrappedKey,
): Promise<KeyId | null> {
  if (!isLocal(attempt.kek)) return null;
  for (const other of known) {
    if (other.id === key.id) continue;
    const result = await unwrap(attempt, contextOf(clusterId, other));
    if (result instanceof Error) continue;
    wipe(result);
    return other.id;
  }
  return null;
}

async function unwrap(
  { kek, wrap }: Attempt,
  context: WrapContext,
): Promise<Bytes | KekUnavailableError | WrapRejectedError> {
  try {
    return await kek.unwrap(wrap.wrapped, context);
  } catch (error) {
    const isAnswer = error instanceof KekUnavailableError ||
      error instanceof WrapRejectedError;
    if (!isAnswer) throw error;
    return error;
  }
}

function isLocal(kek: Kek): boolean {
  return LOCAL_ID.test(kek.id);
}

function contextOf(
  clusterId: Bytes,
  { id, purpose }: Pick<WrappedKey, "id" | "purpose">,
): WrapContext {
  return { kind: "dek", clusterId, keyId: id, purpose };
}
