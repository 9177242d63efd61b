import type { Kek } from "../keys/port.ts";
import type { KekPorts } from "../keys/kek_ports.ts";
import { openKek } from "../keys/providers/open_kek.ts";
import type { KeySettings } from "../node/guards/open_keys.ts";
import type { NodeConfig } from "./config.ts";

/**
 * What the configuration says of encryption, with KEKs to be loaded; each is
 * what `dress` makes of it.
 */
export function keySettings(
  { encryptionEnabled, keks }: Pick<NodeConfig, "encryptionEnabled" | "keks">,
  ports: KekPorts,
  dress: (kek: Kek) => Kek = (kek) => kek,
): KeySettings {
  return {
    isEnabled: encryptionEnabled,
    kekCount: keks.length,
    openKeks: async () => (await openAll(keks, ports)).map(dress),
  };
}

/** Two sources of one KEK are one. */
async function openAll(
  uris: readonly string[],
  ports: KekPorts,
): Promise<readonly Kek[]> {
  const keks = new Map<string, Kek>();
  for (const uri of uris) {
    const kek = await openKek(uri, ports);
    if (!keks.has(kek.id)) keks.set(kek.id, kek);
  }
  return [...keks.values()];
}
