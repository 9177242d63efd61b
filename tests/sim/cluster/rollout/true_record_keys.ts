import { type Bytes, toHex } from "../../../../src/base/bytes.ts";
import { importDek } from "../../../../src/crypto/dek.ts";
import { deriveSessionKey } from "../../../../src/crypto/session.ts";
import type { RecordKeys } from "../../../../src/store/record_keys.ts";
import { isOutside } from "../../io/subtle.ts";
import { fail } from "../../raft/checkers.ts";
import type { TrueKeys } from "./true_keys.ts";

/** What opens the records of any store of a cluster; it seals nothing. */
export function trueRecordKeys(
  keys: TrueKeys,
  clusterId: () => Bytes | null,
): RecordKeys {
  return {
    sealing: () => Promise.reject(new Error("an audit seals nothing")),
    opening: async (session) => {
      const id = clusterId();
      const raw = keys.dek(session.keyId);
      if (raw === null || id === null) {
        fail("KeyUnknown", `a session of key ${session.keyId}`);
      }
      const dek = await importDek(raw);
      const name = { ...session, purpose: "storage" as const, clusterId: id };
      return isOutside(await deriveSessionKey(dek, name));
    },
    nameOf: (_, place) => Promise.resolve(toHex(place)),
  };
}
