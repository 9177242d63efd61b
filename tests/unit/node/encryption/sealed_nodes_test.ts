/*
 * Goal: whole members keep all they store sealed from the storage cutover on,
 * and have it again after power cuts and a rotation.
 * Method: members with real keys on simulated disks; the cutover is proposed;
 * every record's row of every member is looked at.
 */
import assert from "node:assert/strict";
import { encodeEncryption } from "../../../../src/fsm/encryption_payload.ts";
import type { EncryptionRequest } from "../../../../src/node/encryption_port.ts";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import { TestKek } from "../../keys/test_kek.ts";
import { TestCluster } from "../test_cluster.ts";
import { engineOf } from "./encrypted_cluster.ts";

useTurnCrypto();

const NAMES = ["n1", "n2", "n3"];
const TERMS = { dryRun: false, planHash: "", confirm: "test", accept: [] };

async function change(
  cluster: TestCluster,
  request: EncryptionRequest,
): Promise<void> {
  const { encryption } = cluster.node(await cluster.leader());
  await cluster.clock.until(encryption.changeEncryption(request, TERMS));
}

async function cutOver(cluster: TestCluster): Promise<void> {
  const payload = encodeEncryption({ kind: "enable-storage-envelope" });
  const engine = engineOf(await cluster.leader());
  const outcome = engine.proposeEncryption(payload);
  assert.ok(outcome !== null);
  assert.equal((await cluster.clock.until(outcome)).kind, "taken");
}

async function writeAll(cluster: TestCluster, keys: string): Promise<void> {
  for (const [i, key] of [...keys].entries()) {
    await cluster.clock.until(cluster.write(NAMES[i % 3]!, key));
  }
  // Rows wait for company.
  await cluster.clock.run(1_000);
}

/** State bits of the records' rows of `name`, and of which entries they are. */
function rowsOf(cluster: TestCluster, name: string) {
  const disks = [...cluster.place(name).kvDisks.values()];
  return disks.flatMap(({ rows }) =>
    rows.filter(({ key }) => key[0] !== 0n).map(({ value }) => ({
      isSealed: (value[1]! & 3) === 1,
      keyId: new DataView(value.buffer).getUint32(23),
    }))
  );
}

async function powerCut(cluster: TestCluster): Promise<void> {
  for (const name of NAMES) {
    await cluster.stop(name);
    cluster.place(name).disk.restart("none");
  }
  for (const name of NAMES) await cluster.open(name);
  await cluster.ready();
}

Deno.test("members seal what they store from the cutover on, and open it again", async () => {
  const kek = await TestKek.of(7);
  const cluster = await TestCluster.start(NAMES, {
    keys: () => ({
      ...{ isEnabled: true, kekCount: 1 },
      openKeks: () => Promise.resolve([kek]),
    }),
  });
  await change(cluster, { kind: "bootstrap" });
  await writeAll(cluster, "abc");
  await cutOver(cluster);
  for (const name of NAMES) {
    const rows = rowsOf(cluster, name);
    assert.deepEqual(rows.map(({ isSealed }) => isSealed), [
      ...[false, false, false, false],
    ]);
  }
  await writeAll(cluster, "cdef");
  for (const name of NAMES) {
    // a and b have not been written since; "count" has.
    const sealed = rowsOf(cluster, name).filter(({ isSealed }) => isSealed);
    assert.equal(sealed.length, 5, name);
  }
  await powerCut(cluster);
  const expected = { keys: "abcdef", count: 7 };
  for (const name of NAMES) {
    assert.deepEqual(await cluster.read(name), expected, name);
  }
  await change(cluster, { kind: "rotate-dek", purpose: "storage" });
  await writeAll(cluster, "fg");
  await powerCut(cluster);
  for (const name of NAMES) {
    const sealed = rowsOf(cluster, name).filter(({ isSealed }) => isSealed);
    const keyIds = new Set(sealed.map(({ keyId }) => keyId));
    assert.deepEqual([sealed.length, keyIds.size], [6, 2], name);
    const { keys, count } = await cluster.read(name);
    assert.deepEqual([keys, count], ["abcdefg", 9], name);
    assert.equal(cluster.place(name).fatal, null);
  }
  await cluster.close();
});

Deno.test("what does not open is counted, in records and in the log", async () => {
  const kek = await TestKek.of(7);
  const cluster = await TestCluster.start(["n1"], {
    keys: () => ({
      ...{ isEnabled: true, kekCount: 1 },
      openKeks: () => Promise.resolve([kek]),
    }),
  });
  await change(cluster, { kind: "bootstrap" });
  await cutOver(cluster);
  await cluster.clock.until(cluster.write("n1", "a"));
  await cluster.clock.run(1_000);
  const { operations, sealing } = engineOf("n1");
  const metrics = operations.metrics();
  assert.equal(metrics.openFailures().size, 0);
  const [disk] = cluster.place("n1").kvDisks.values();
  const row = disk!.rows.find(({ key }) => key[0] !== 0n)!;
  const last = row.value.length - 1;
  row.value[last] = row.value[last]! ^ 1;
  await assert.rejects(cluster.read("n1"), { code: "STORE_RECORD_INTEGRITY" });
  const counted = metrics.openFailures();
  assert.deepEqual([...counted], [["tag-mismatch", 1]]);
  Object.defineProperty(sealing.opening, "failures", {
    value: new Map([["raft-entry", 1]]),
  });
  assert.equal(metrics.openFailures().get("raft-entry"), 1);
  await cluster.close();
});
