import assert from "node:assert/strict";
import { importDek } from "../../../../src/crypto/dek.ts";
import { type SessionRows, Sessions } from "../../../../src/keys/sessions.ts";
import { SimRandom } from "../../../sim/io/random.ts";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import { BOOTSTRAP, CLUSTER, rotation, STORAGE } from "./changes.ts";
import { EncryptedCluster } from "./encrypted_cluster.ts";
import { CustodyFailure, type FakeCustody } from "./fake_custody.ts";

useTurnCrypto();
const SECRET = await importDek(new Uint8Array(32).fill(9));

class Bench {
  /** Rows that sessions asked for: key, epoch, and whether it was new. */
  readonly rows: string[] = [];
  failure: Error | null = null;
  #custody: FakeCustody | null = null;
  readonly #random = new SimRandom(1);

  start(): Promise<EncryptedCluster> {
    return EncryptedCluster.start(["n1"], {
      onCustody: (custody) => {
        custody.secret = SECRET;
        custody.clusterId = CLUSTER;
        this.#custody = custody;
      },
      openSessions: (_, rows) => this.#open(rows),
    });
  }

  #open(store: SessionRows): Sessions {
    const custody = this.#custody;
    assert.ok(custody !== null);
    const insert: SessionRows["insert"] = async (row) => {
      if (this.failure !== null) throw this.failure;
      const isNew = await store.insert(row);
      this.rows.push(`${row.keyId}/${row.epoch} ${isNew}`);
      return isNew;
    };
    return new Sessions({ custody, random: this.#random, rows: { insert } });
  }
}

Deno.test("Node begins a session of the storage key at each start, and of each new one", async () => {
  const bench = new Bench();
  const world = await bench.start();
  const { cluster } = world;
  assert.deepEqual(bench.rows, [], "there is no key yet");
  await world.propose(BOOTSTRAP);
  await cluster.clock.run(100);
  assert.deepEqual(bench.rows, [`${STORAGE}/1 true`]);
  const { sessions } = world.engine("n1");
  assert.equal(sessions?.current(STORAGE, "storage")?.epoch, 1);
  await world.propose(rotation(44));
  await cluster.clock.run(100);
  await cluster.stop("n1");
  await cluster.open("n1");
  await cluster.ready();
  assert.deepEqual(bench.rows.slice(1), ["44/1 true", "44/2 true"]);
  assert.deepEqual(world.registered("n1", "n1", [44]), [2]);
  await cluster.close();
});

Deno.test("Node begins no session while its sidecar knows later keys", async () => {
  const bench = new Bench();
  const world = await bench.start();
  const { cluster } = world;
  await world.propose(BOOTSTRAP);
  await cluster.clock.run(100);
  await cluster.stop("n1");
  const { index, epochs } = world.custody("n1").sidecar;
  world.custody("n1").sidecar = { index: index + 1_000, epochs };
  await cluster.open("n1");
  await cluster.ready();
  await cluster.clock.run(100);
  assert.deepEqual(bench.rows, [`${STORAGE}/1 true`], "of before the restart");
  await cluster.close();
});

Deno.test("Node stops when it cannot begin a session", async () => {
  const bench = new Bench();
  const world = await bench.start();
  bench.failure = new CustodyFailure("STORE_BACKING_FAILED");
  await world.propose(BOOTSTRAP);
  await world.cluster.clock.run(100);
  assert.equal(world.cluster.place("n1").fatal, bench.failure);
  await world.cluster.stop("n1");
});
