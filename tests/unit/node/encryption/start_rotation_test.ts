import assert from "node:assert/strict";
import { decideEncryption } from "../../../../src/fsm/encryption.ts";
import {
  type EncryptionChange,
  type EncryptionState,
  NO_ENCRYPTION,
} from "../../../../src/fsm/types.ts";
import { EncryptionGateClosedError } from "../../../../src/node/encryption/change_errors.ts";
import { StartRotation } from "../../../../src/node/encryption/start_rotation.ts";
import { NotReadyError } from "../../../../src/node/errors.ts";
import { EMPTY_STATE } from "../../../../src/store/meta.ts";
import { SimClock } from "../../../sim/io/clock.ts";
import { SimLog } from "../../../sim/io/log.ts";
import { BOOTSTRAP, CLUSTER, wrappedKey } from "./changes.ts";

class Bench {
  readonly clock = new SimClock();
  readonly asked: string[] = [];
  state: EncryptionState = NO_ENCRYPTION;
  leads = true;
  isCaughtUp = true;
  failure: Error | null = null;
  readonly rotation: StartRotation;

  constructor(isWanted = true, isBootstrapped = true) {
    if (isBootstrapped) this.apply(BOOTSTRAP);
    this.rotation = new StartRotation({
      ...{ clock: this.clock, log: new SimLog(), isWanted },
      state: () => this.state,
      isFree: () => this.leads,
      leads: () => this.leads,
      isCaughtUp: () => this.isCaughtUp,
      rotate: (purpose) => {
        this.asked.push(purpose);
        if (this.failure !== null) return Promise.reject(this.failure);
        const key = wrappedKey(100 + this.asked.length, purpose);
        const replaces = this.state.active[purpose];
        this.apply({ kind: "rotate-dek", key, replaces });
        return Promise.resolve(this.state.stateIndex);
      },
    });
  }

  apply(change: EncryptionChange): void {
    const { state: encryption } = this;
    const fsm = { ...EMPTY_STATE.fsm, clusterId: CLUSTER, encryption };
    const decision = decideEncryption(fsm, encryption.stateIndex + 1, change);
    assert.ok(decision.kind === "taken");
    this.state = decision.next;
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 250) {
      this.rotation.begin();
      await this.clock.run(250);
    }
  }
}

Deno.test("a leader rotates each purpose once before its clients come", async () => {
  const bench = new Bench();
  assert.ok(bench.rotation.isAwaited);
  await bench.pass(1_000);
  assert.deepEqual(bench.asked, ["storage", "raft"]);
  assert.ok(!bench.rotation.isAwaited);
  await bench.pass(200_000);
  assert.equal(bench.asked.length, 2);
});

Deno.test("a follower remembers, and keeps nobody waiting", async () => {
  const bench = new Bench();
  bench.leads = false;
  await bench.pass(1_000);
  assert.ok(!bench.rotation.isAwaited);
  assert.deepEqual(bench.asked, []);
  bench.leads = true;
  await bench.pass(1_000);
  assert.deepEqual(bench.asked, ["storage", "raft"]);
});

Deno.test("nothing is rotated before what was committed is applied", async () => {
  const bench = new Bench();
  bench.isCaughtUp = false;
  await bench.pass(1_000);
  assert.deepEqual(bench.asked, []);
  assert.ok(bench.rotation.isAwaited);
});

Deno.test("it lapses without keys, and does nothing unasked", async () => {
  const bare = new Bench(true, false);
  await bare.pass(500);
  assert.ok(!bare.rotation.isAwaited);
  bare.apply(BOOTSTRAP);
  await bare.pass(1_000);
  assert.deepEqual(bare.asked, []);
  const unasked = new Bench(false);
  await unasked.pass(1_000);
  assert.ok(!unasked.rotation.isAwaited);
  assert.deepEqual(unasked.asked, []);
});

Deno.test("a leader that is about to be ready tries again at once", async () => {
  const bench = new Bench();
  bench.failure = new NotReadyError("soon");
  await bench.pass(500);
  assert.ok(bench.rotation.isAwaited);
  bench.failure = null;
  await bench.pass(500);
  assert.ok(!bench.rotation.isAwaited);
});

Deno.test("a failure lets clients in, and is tried again later", async () => {
  const bench = new Bench();
  bench.failure = new EncryptionGateClosedError("n1", []);
  await bench.pass(500);
  assert.ok(!bench.rotation.isAwaited);
  await bench.pass(10_000);
  assert.deepEqual(bench.asked, ["storage"]);
  bench.failure = null;
  await bench.pass(61_000);
  assert.deepEqual(bench.asked, ["storage", "storage", "raft"]);
});
