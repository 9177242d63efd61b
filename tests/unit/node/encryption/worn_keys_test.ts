import assert from "node:assert/strict";
import { EPOCH_WARNING, type KeyId } from "../../../../src/base/data_key.ts";
import { decideEncryption } from "../../../../src/fsm/encryption.ts";
import {
  type EncryptionChange,
  type EncryptionState,
  NO_ENCRYPTION,
} from "../../../../src/fsm/types.ts";
import { OutcomeUnknownError } from "../../../../src/node/errors.ts";
import { WornKeys } from "../../../../src/node/encryption/worn_keys.ts";
import { EMPTY_STATE } from "../../../../src/store/meta.ts";
import { SimClock } from "../../../sim/io/clock.ts";
import { SimLog } from "../../../sim/io/log.ts";
import {
  BOOTSTRAP,
  CLUSTER,
  RAFT,
  registrationOf,
  rotation,
  STORAGE,
  wrappedKey,
} from "./changes.ts";

class Bench {
  readonly clock = new SimClock();
  readonly log = new SimLog();
  readonly asked: string[] = [];
  state: EncryptionState = NO_ENCRYPTION;
  isFree = true;
  failure: Error | null = null;
  readonly worn = new WornKeys({
    clock: this.clock,
    log: this.log,
    state: () => this.state,
    isFree: () => this.isFree,
    rotate: (purpose) => {
      this.asked.push(purpose);
      if (this.failure !== null) return Promise.reject(this.failure);
      const key = wrappedKey(100 + this.asked.length, purpose);
      const replaces = this.state.active[purpose];
      this.apply({ kind: "rotate-dek", key, replaces });
      return Promise.resolve(this.state.stateIndex);
    },
  });

  constructor() {
    this.apply(BOOTSTRAP);
  }

  apply(change: EncryptionChange): void {
    const { state: encryption } = this;
    const fsm = { ...EMPTY_STATE.fsm, clusterId: CLUSTER, encryption };
    const index = encryption.stateIndex + 1;
    const decision = decideEncryption(fsm, index, change);
    assert.ok(decision.kind === "taken");
    this.state = decision.next;
  }

  register(node: string, epoch: number, keyIds: readonly KeyId[]): void {
    this.apply(registrationOf(node, epoch, keyIds));
  }

  /** Ticks for so long; returns what was asked for meanwhile. */
  async pass(ms: number): Promise<string> {
    const from = this.asked.length;
    for (let passed = 0; passed < ms; passed += 250) {
      this.worn.rotate();
      await this.clock.run(250);
    }
    return this.asked.slice(from).join();
  }
}

Deno.test("WornKeys rotates nothing below the warning", async () => {
  const bench = new Bench();
  assert.equal(await bench.pass(1_000), "");
  bench.register("n1", EPOCH_WARNING - 1, [STORAGE, RAFT]);
  assert.equal(await bench.pass(120_000), "");
});

for (
  const [purpose, keyId] of [["storage", STORAGE], ["raft", RAFT]] as const
) {
  Deno.test(`WornKeys rotates a worn ${purpose} key once, and no other`, async () => {
    const bench = new Bench();
    bench.register("n1", 3, [STORAGE, RAFT]);
    bench.register("gone", EPOCH_WARNING, [keyId]);
    assert.equal(await bench.pass(180_000), purpose);
    const { index } = { index: bench.state.stateIndex };
    const events = bench.log.named("encryption_key_rotated");
    assert.deepEqual(events.map(({ fields }) => fields), [{ purpose, index }]);
  });
}

Deno.test("WornKeys lets a second worn key not wait", async () => {
  const bench = new Bench();
  bench.register("n1", 0xffff, [STORAGE, RAFT]);
  assert.equal(await bench.pass(1_000), "storage,raft");
});

Deno.test("WornKeys does not mind sessions of keys that are not active", async () => {
  const bench = new Bench();
  bench.register("n1", 0xffff, [STORAGE]);
  bench.apply(rotation(44));
  assert.equal(await bench.pass(120_000), "");
});

Deno.test("WornKeys waits for its turn", async () => {
  const bench = new Bench();
  bench.register("n1", EPOCH_WARNING, [STORAGE]);
  bench.isFree = false;
  assert.equal(await bench.pass(120_000), "");
  bench.isFree = true;
  assert.equal(await bench.pass(250), "storage");
});

Deno.test("WornKeys tells a failure and tries again after a minute", async () => {
  const bench = new Bench();
  bench.register("n1", EPOCH_WARNING, [STORAGE]);
  bench.failure = new OutcomeUnknownError();
  assert.equal(await bench.pass(60_000), "storage");
  const events = bench.log.named("encryption_rotation_failed");
  assert.deepEqual(events.map(({ level, fields }) => ({ level, ...fields })), [
    { level: "warn", purpose: "storage", code: "NODE_OUTCOME_UNKNOWN" },
  ]);
  bench.failure = null;
  assert.equal(await bench.pass(60_000), "storage");
  assert.equal(await bench.pass(120_000), "");
});
