import type { Bytes } from "../base/bytes.ts";
import type { KeyId } from "../base/data_key.ts";
import {
  sealStorageEnvelope,
  STORAGE_ENVELOPE_OVERHEAD_BYTES,
} from "../crypto/storage_envelope.ts";
import type { RecordKey } from "../fsm/types.ts";
import { StoreRecordSealedError } from "./errors.ts";
import type { InsertSession, RecordKeys } from "./record_keys.ts";
import { keyName, placeBytes } from "./row_key.ts";
import {
  RECORD_HEADER_BYTES,
  type RecordSealer,
  STATE_SEALED,
} from "./sealer.ts";

/** Makes bodies that are storage envelopes, under one key's sessions. */
export class EnvelopeSealer implements RecordSealer {
  readonly state = STATE_SEALED;
  readonly overheadBytes = STORAGE_ENVELOPE_OVERHEAD_BYTES;
  readonly #keys: Pick<RecordKeys, "sealing">;
  readonly #under: { readonly active: KeyId; readonly insert: InsertSession };

  constructor(
    keys: Pick<RecordKeys, "sealing">,
    under: { readonly active: KeyId; readonly insert: InsertSession },
  ) {
    this.#keys = keys;
    this.#under = under;
  }

  async seal(
    row: Bytes,
    bodyAt: number,
    place: RecordKey,
    plaintext: Uint8Array,
  ): Promise<void> {
    const { active, insert } = this.#under;
    const opened = this.#keys.sealing(active, insert);
    const session = opened instanceof Promise ? await opened : opened;
    const header = row.subarray(bodyAt - RECORD_HEADER_BYTES, bodyAt);
    const envelope = await sealStorageEnvelope(
      session,
      header,
      placeBytes(place),
      plaintext as Bytes,
    );
    row.set(envelope, bodyAt);
  }
}

/** Where records must be sealed and there are no keys: never cleartext. */
export class KeylessSealer implements RecordSealer {
  readonly state = STATE_SEALED;
  readonly overheadBytes = STORAGE_ENVELOPE_OVERHEAD_BYTES;

  seal(_row: Bytes, _bodyAt: number, place: RecordKey): void {
    throw new StoreRecordSealedError(place.database, keyName(place));
  }
}
