import { verifyHmac } from "../crypto/hmac.ts";
import { deriveMacKey, stateMacInfo } from "../crypto/mac.ts";
import { openDataKey } from "../keys/data_key.ts";
import type { Kek } from "../keys/port.ts";
import { encryptionRowBody } from "../store/encryption_row.ts";
import { StateTamperedError } from "../store/errors.ts";
import type { StoreState } from "../store/meta.ts";

/**
 * Checks that the encryption state of a store is as its node wrote it, with the
 * state key that the state itself carries.
 *
 * @throws {StateTamperedError}
 * @throws {NodeError} No KEK opens the state key.
 */
export async function verifyStoreState(
  { node, keks }: { readonly node: string; readonly keks: readonly Kek[] },
  { fsm, encryptionMac }: StoreState,
): Promise<void> {
  const { encryption, clusterId } = fsm;
  const { keys, stateKey, stateIndex } = encryption;
  if (keys.size === 0) return;
  const key = keys.get(stateKey);
  if (key === undefined || clusterId === null || encryptionMac === null) {
    throw new StateTamperedError(stateIndex);
  }
  const known = [...keys.values()];
  const dek = await openDataKey({ clusterId, keks, known }, key);
  const macKey = await deriveMacKey(dek, stateMacInfo(clusterId, node));
  const body = encryptionRowBody(encryption);
  if (!await verifyHmac(macKey, body, encryptionMac)) {
    throw new StateTamperedError(stateIndex);
  }
}
