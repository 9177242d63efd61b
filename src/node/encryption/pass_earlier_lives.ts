import { EPOCH_MAX } from "../../base/data_key.ts";
import type { EncryptionState } from "../../fsm/types.ts";
import type { KeyCustody } from "../../keys/port.ts";
import { registeredEpoch, type WriterName } from "./own_rows.ts";

/**
 * Takes this node's epochs beyond what the registry shows, where that is of an
 * earlier member of its name: one that was rebuilt, or removed and added.
 *
 * A key at the last epoch stays there: it is long since rotated.
 */
export async function passEarlierLives(
  custody: KeyCustody,
  writer: WriterName,
  state: EncryptionState,
): Promise<void> {
  for (const keyId of custody.epochs().keys()) {
    const registered = registeredEpoch(state, writer, keyId);
    for (;;) {
      const epoch = custody.epochs().get(keyId) ?? EPOCH_MAX;
      if (epoch > registered || epoch >= EPOCH_MAX) break;
      await custody.nextEpoch(keyId);
    }
  }
}
