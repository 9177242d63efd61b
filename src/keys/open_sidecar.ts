import { utf8 } from "../base/bytes.ts";
import { present } from "../base/assert.ts";
import { verifyHmac } from "../crypto/hmac.ts";
import { deriveMacKey, sidecarMacInfo } from "../crypto/mac.ts";
import { openDataKey } from "./data_key.ts";
import { CommitmentMismatchError, SidecarTamperedError } from "./errors.ts";
import { WrapRejectedError } from "./kek_errors.ts";
import { Keystore } from "./keystore.ts";
import type { Kek } from "./port.ts";
import type { SidecarFound } from "./sidecar.ts";

/**
 * Opens the keys of a sidecar, the state key first: its MAC tells a sidecar
 * that was changed from one that this node's KEKs do not open.
 *
 * @throws {KekMismatchError} No KEK of this node opens some key.
 * @throws {SidecarTamperedError} The MAC or a commitment does not hold, or the
 * state key does not open although a wrap of it names a KEK of this node.
 * @throws {WrapRejectedError} A wrap was damaged before it came here.
 * @throws {KekUnavailableError}
 */
export async function openSidecar(
  place: {
    readonly path: string;
    readonly node: string;
    readonly keks: readonly Kek[];
  },
  sidecar: SidecarFound,
): Promise<Keystore> {
  const { path, node, keks } = place;
  const { clusterId, shared } = sidecar;
  const opening = { clusterId, keks, known: [...shared.keys.values()] };
  const stateKey = present(shared.keys.get(shared.stateKey), "the state key");
  const tampered = (finding: string, options?: ErrorOptions) =>
    new SidecarTamperedError(path, finding, options);
  const stateDek = await openDataKey(opening, stateKey).catch((cause) => {
    const isChanged = cause instanceof CommitmentMismatchError ||
      cause instanceof WrapRejectedError;
    if (!isChanged) throw cause;
    throw tampered(`its state key, ${stateKey.id}, does not open`, { cause });
  });
  const macKey = await deriveMacKey(stateDek, sidecarMacInfo(clusterId, node));
  if (!await verifyHmac(macKey, utf8(sidecar.text), sidecar.mac)) {
    throw tampered("its MAC does not hold");
  }
  const keystore = new Keystore();
  for (const key of shared.keys.values()) {
    const dek = key.id === stateKey.id
      ? stateDek
      : await openDataKey(opening, key).catch((cause) => {
        if (!(cause instanceof CommitmentMismatchError)) throw cause;
        throw tampered(`data key ${key.id} is another one`, { cause });
      });
    await keystore.put(clusterId, key, dek);
  }
  return keystore;
}
