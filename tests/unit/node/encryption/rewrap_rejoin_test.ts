/*
 * Goal: after a KEK was exchanged nobody needs the old one, also a member that
 * starts from nothing while the log still holds the first keys' wraps.
 * Method: whole nodes; start with both KEKs, rewrap, restart with the new one
 * alone, rebuild a member: it begins with a checkpoint, never with the log.
 */
import assert from "node:assert/strict";
import { toHex } from "../../../../src/base/bytes.ts";
import type { Kek } from "../../../../src/keys/port.ts";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import { TestKek } from "../../keys/test_kek.ts";
import { TestCluster } from "../test_cluster.ts";
import { rebuildMember } from "./rebuild_member.ts";

useTurnCrypto();

const NAMES = ["n1", "n2", "n3"];
const TERMS = { dryRun: false, planHash: "", confirm: "test", accept: [] };

Deno.test("a member rebuilt with the new KEK alone gets its keys by a checkpoint", async () => {
  const [old, fresh] = [await TestKek.of(7), await TestKek.of(8)];
  let keks: readonly Kek[] = [fresh, old];
  const cluster = await TestCluster.start(NAMES, {
    keys: () => ({
      isEnabled: true,
      kekCount: keks.length,
      openKeks: () => Promise.resolve(keks),
    }),
  });
  const leader = async () => cluster.node(await cluster.leader()).encryption;
  const { clock } = cluster;
  const change = async (kind: "bootstrap" | "rewrap-deks") => {
    const request = kind === "bootstrap"
      ? { kind } as const
      : { kind, keks: [] } as const;
    const { isChanged } = await clock.until(
      (await leader()).changeEncryption(request, TERMS),
    );
    assert.ok(isChanged);
  };
  await change("bootstrap");
  await clock.until(cluster.write("n2", "before"));
  await change("rewrap-deks");
  keks = [fresh];
  for (const name of NAMES) {
    await cluster.stop(name);
    await cluster.open(name);
    await cluster.ready();
  }
  // Until all have told how they are.
  await clock.run(1_000);
  const leads = await cluster.leader();
  const name = NAMES.find((one) => one !== leads)!;
  await rebuildMember(cluster, name);
  await cluster.ready();
  assert.equal(cluster.place(name).fatal, null);
  assert.equal(cluster.place(name).log.named("store_replaced").length, 1);
  await clock.run(2_000);
  const states = NAMES.map((one) =>
    toHex(cluster.node(one).encryption.exportEncryptionState().state)
  );
  assert.equal(new Set(states).size, 1);
  await cluster.close();
});
