import { DATA_KEY_BYTES } from "../base/data_key.ts";
import { equalConstantTime } from "../crypto/constant_time.ts";
import { wipe } from "../crypto/wipe.ts";
import type { Random } from "../io/random.ts";
import { KekUnavailableError, WrapRejectedError } from "./kek_errors.ts";
import type { Kek, WrapContext } from "./port.ts";

const NOWHERE = new Uint8Array(16);
const PLACE: WrapContext = placeOf(1n);
const ELSEWHERE: WrapContext = placeOf(2n);

/**
 * Tries a KEK with a secret of no worth: it wraps, unwraps the same, and does
 * not open the wrap at another place. (A Vault before 1.13 takes associated
 * data and ignores it.)
 *
 * @throws {KekUnavailableError} When it does any of it wrong, or not at all.
 */
export async function probeKek(kek: Kek, random: Random): Promise<void> {
  const secret = random.bytes(DATA_KEY_BYTES);
  const wrapped = await kek.wrap(secret, PLACE);
  const opened = await unwrapOrNull(kek, wrapped, PLACE);
  if (opened === null || !equalConstantTime(opened, secret)) {
    throw new KekUnavailableError(
      kek.id,
      "refused",
      "it does not give back what it wraps",
      "Let the node both encrypt and decrypt with this key",
    );
  }
  const misplaced = await unwrapOrNull(kek, wrapped, ELSEWHERE);
  wipe(secret);
  wipe(opened);
  if (misplaced === null) return;
  wipe(misplaced);
  throw new KekUnavailableError(
    kek.id,
    "refused",
    "it opens a wrap at a place that it was not made for",
    "Use a provider that binds associated data: Vault 1.13 or later with a " +
      "key of type aes256-gcm96",
  );
}

async function unwrapOrNull(
  kek: Kek,
  wrapped: Uint8Array<ArrayBuffer>,
  context: WrapContext,
) {
  try {
    return await kek.unwrap(wrapped, context);
  } catch (error) {
    if (error instanceof WrapRejectedError) return null;
    throw error;
  }
}

function placeOf(target: bigint): WrapContext {
  return { kind: "challenge", clusterId: NOWHERE, term: 0, target };
}
