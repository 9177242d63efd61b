import { present } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { WrappedKey } from "../../base/data_key.ts";
import { deriveCheckpointKey } from "../../crypto/checkpoint_cipher.ts";
import type { Dek } from "../../crypto/dek.ts";
import type { KeyCustody } from "../../keys/port.ts";
import { streamKeyId } from "../../store/checkpoint/header.ts";
import type { StreamKeys } from "../../store/checkpoint/sealed_chunks.ts";
import type { CheckpointState } from "../../store/meta.ts";

/** Keys of the streams that a node makes: of data keys that it has open. */
export function heldStreamKeys(
  custody: Pick<KeyCustody, "dek">,
): StreamKeys {
  return {
    streamKey: (stream) =>
      deriveCheckpointKey(custody.dek(stream.keyId, "storage"), stream),
  };
}

/** Opens a key of a cluster; `known` are all keys beside it. */
export type OpenKey = (
  clusterId: Bytes,
  key: WrappedKey,
  known: readonly WrappedKey[],
) => Promise<Dek>;

/**
 * The key of a received stream, by the wraps in its own header: nothing of it
 * is believed before the stream is verified under that very key.
 *
 * @throws {NodeError} What `openKey` throws; `state` is of a sealed stream.
 */
export async function openStreamKeys(
  { fsm, ...rest }: CheckpointState,
  openKey: OpenKey,
): Promise<StreamKeys> {
  const { keys } = fsm.encryption;
  const clusterId = present(fsm.clusterId, "keys are of a cluster");
  const key = present(
    keys.get(streamKeyId({ ...rest, fsm })),
    "an active key is a key of the state",
  );
  const dek = await openKey(clusterId, key, [...keys.values()]);
  return { streamKey: (stream) => deriveCheckpointKey(dek, stream) };
}
