import type { Kek } from "../keys/port.ts";
import type { KekPorts } from "../keys/kek_ports.ts";
import { openKek } from "../keys/providers/open_kek.ts";
import type { KeySettings } from "../node/guards/open_keys.ts";
import type { NodeConfig } from "./config.ts";

/** What the configuration says of encryption, with KEKs to be loaded. */
export function keySettings(
  { encryptionEnabled, keks }: Pick<NodeConfig, "encryptionEnabled" | "keks">,
  ports: KekPorts,
): KeySettings {
  return {
    isEnabled: encryptionEnabled,
    kekCount: keks.length,
    openKeks: () => openAll(keks, ports),
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
