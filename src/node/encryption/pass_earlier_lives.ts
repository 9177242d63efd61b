import { EPOCH_MAX } from "../../base/data_key.ts";
import type { EncryptionState } from "../../fsm/types.ts";
import type { KeyCustody } from "../../keys/port.ts";
import { registeredEpoch, type WriterName } from "./own_rows.ts";

/**
 * Takes this node's epochs beyond what the registry shows, where that is of an
 * earlier member of its name: one that was rebuilt, or removed and added.
 *
 * The last epoch has none beyond it: that key is long since rotated.
 */
export async function passEarlierLives(
  custody: KeyCustody,
  writer: WriterName,
  state: EncryptionState,
): Promise<void> {
  for (const [keyId, epoch] of custody.epochs()) {
    const registered = registeredEpoch(state, writer, keyId);
    if (epoch > registered || epoch === EPOCH_MAX) continue;
    await custody.nextEpoch(keyId, Math.min(registered, EPOCH_MAX - 1));
  }
}
