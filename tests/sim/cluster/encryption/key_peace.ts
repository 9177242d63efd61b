import { kekBytes, SIM_KEKS } from "./host_keys.ts";
import { LocalKek } from "../../../../src/keys/providers/local_kek.ts";
import { openCustody } from "../../../../src/keys/custody.ts";
import { readSidecar } from "../../../../src/keys/sidecar_file.ts";
import { fail } from "../../raft/checkers.ts";
import { SimRandom } from "../../io/random.ts";
import type { Host } from "../host.ts";
import { ENCRYPTION_DIR } from "../sim_node.ts";
import { encryptionText } from "./encryption_text.ts";

/** Members have one state, are ready, and are registered as they are. */
export async function areKeysEqual(hosts: readonly Host[]): Promise<boolean> {
  const texts = new Set<string>();
  for (const { node, applied, name } of hosts) {
    if (node === null || applied === null || !node.status().ready) return false;
    const { encryption } = applied.fsm;
    texts.add(encryptionText(encryption));
    const status = await node.encryption?.encryptionStatus();
    for (const { keyId, epoch } of status?.own.epochs ?? []) {
      const key = status?.keys.find(({ id }) => id === keyId);
      if (key?.isActive !== true || key.purpose === "state") continue;
      const row = key.writers.find(({ member }) => member === name);
      if (row?.lastEpoch !== epoch) return false;
    }
  }
  return texts.size === 1;
}

/** The sidecar on the disk of `host` opens with the KEKs it ought to have. */
export async function checkSidecar(host: Host): Promise<void> {
  const { disk } = host.image(1);
  const keks = await Promise.all(
    SIM_KEKS.map((one) => LocalKek.of(kekBytes(one), new SimRandom(one))),
  );
  const sidecar = await readSidecar(disk, ENCRYPTION_DIR);
  if (sidecar === null) fail("SidecarMissing", host.name);
  await openCustody({
    ...{ disk, dir: ENCRYPTION_DIR, node: host.name, sidecar, keks },
    isEnabled: true,
    random: new SimRandom(1),
  });
}
