import { type Bytes, utf8 } from "../../../src/base/bytes.ts";
import type { KeyId, WrappedKey } from "../../../src/base/data_key.ts";
import {
  formatSidecar,
  type SidecarContent,
  type SidecarFound,
} from "../../../src/keys/sidecar.ts";
import type { Rng } from "../run/rng.ts";

/** `found` with one field changed, written well, its MAC mostly as it was. */
export function changedSidecar(found: SidecarFound): (rng: Rng) => Bytes {
  return (rng) => {
    const mac = rng.once(4) ? flipped(found.mac, rng) : found.mac;
    return utf8(formatSidecar(changed(found, rng), mac));
  };
}

function changed(found: SidecarFound, rng: Rng): SidecarContent {
  const { clusterId, epochs, shared } = found;
  const ids = [...shared.keys.keys()];
  switch (rng.below(5)) {
    case 0:
      return { ...found, clusterId: flipped(clusterId, rng) };
    case 1:
      return { ...found, node: rng.pick(["n2", "n", "n10"]) };
    case 2: {
      const epoch = rng.below(0x10000);
      return { ...found, epochs: new Map(epochs).set(rng.pick(ids), epoch) };
    }
    case 3:
      return { ...found, shared: { ...shared, stateIndex: rng.below(100) } };
    default: {
      const keys = new Map(shared.keys);
      const id = rng.pick(ids);
      keys.set(id, changedKey(keys, id, rng));
      return { ...found, shared: { ...shared, keys } };
    }
  }
}

function changedKey(
  keys: ReadonlyMap<KeyId, WrappedKey>,
  id: KeyId,
  rng: Rng,
): WrappedKey {
  const key = keys.get(id);
  const other = keys.get(rng.pick([...keys.keys()]));
  if (key === undefined || other === undefined) throw new Error("no such key");
  switch (rng.below(4)) {
    case 0:
      return { ...key, commitment: flipped(key.commitment, rng) };
    case 1:
      return { ...key, createdMs: key.createdMs + 1 };
    case 2:
      return { ...key, wraps: other.wraps };
    default: {
      const wraps = key.wraps.map(({ kek, wrapped }) => ({
        kek,
        wrapped: flipped(wrapped, rng),
      }));
      return { ...key, wraps };
    }
  }
}

function flipped(bytes: Bytes, rng: Rng): Bytes {
  const copy = bytes.slice();
  const at = rng.below(copy.length);
  copy[at] = (copy[at] as number) ^ (1 << rng.below(8));
  return copy;
}
