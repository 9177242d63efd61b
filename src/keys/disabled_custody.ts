import { present } from "../base/assert.ts";
import { NO_KEY } from "../base/data_key.ts";
import {
  KekMismatchError,
  KekUnknownError,
  KeyUnknownError,
} from "./errors.ts";
import type { KeyCustody, SharedKeys } from "./port.ts";

/** The custody of a node without encryption: it has no key and opens none. */
export function disabledCustody(node: string): KeyCustody {
  const noKek = () => Promise.reject(new KekUnknownError("", []));
  return {
    node,
    isEnabled: false,
    kekIds: [],
    sidecarIndex: 0,
    gaps: () => Promise.resolve([{ kind: "flag" }]),
    epochs: () => new Map(),
    absorb: (_clusterId, shared) => Promise.reject(noneOpens(shared)),
    stateMac: () => Promise.reject(new KeyUnknownError(NO_KEY, "state")),
    nextEpoch: (keyId) => Promise.reject(new KeyUnknownError(keyId, "storage")),
    drawKey: noKek,
    rewrap: noKek,
    wrapChallenge: noKek,
    openChallenge: () => Promise.resolve(null),
  };
}

function noneOpens({ keys }: SharedKeys): KekMismatchError {
  const [first] = keys.values();
  const { id, wraps } = present(first, "keys to take over");
  return new KekMismatchError(id, wraps.map(({ kek }) => kek), []);
}
