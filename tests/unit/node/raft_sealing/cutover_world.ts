import assert from "node:assert/strict";
import { NO_KEY } from "../../../../src/base/data_key.ts";
import { peekRaftEnvelope } from "../../../../src/crypto/raft_envelope.ts";
import {
  encodeEncryption,
  isRaftMarker,
} from "../../../../src/fsm/encryption_payload.ts";
import { decodeProposal } from "../../../../src/fsm/proposal.ts";
import type { EncryptionChange } from "../../../../src/fsm/types.ts";
import { Applier, type ApplyJob } from "../../../../src/node/applier.ts";
import type { EncryptionOutcome } from "../../../../src/node/encryption/outcomes.ts";
import { type Entry, ENTRY_NORMAL } from "../../../../src/raft/types.ts";
import { ChangesWorld } from "../encryption/changes_world.ts";

/** Committed entries with something in them, by index. */
const committed = new Map<number, Entry>();
const { enqueue } = Applier.prototype;
Applier.prototype.enqueue = function (this: Applier, job: ApplyJob): void {
  for (const entry of job.entries) committed.set(entry.index, entry);
  enqueue.call(this, job);
};

/** A cluster whose records are sealed already, and its log is not. */
export class CutoverWorld {
  private constructor(readonly world: ChangesWorld) {}

  static async start(
    options: Parameters<typeof ChangesWorld.bootstrapped>[0] = {},
  ): Promise<CutoverWorld> {
    committed.clear();
    const cutover = new CutoverWorld(await ChangesWorld.bootstrapped(options));
    await cutover.propose({ kind: "enable-storage-envelope" });
    return cutover;
  }

  get cluster() {
    return this.world.cluster;
  }

  get clock() {
    return this.world.cluster.clock;
  }

  /** Begins the cutover at `name`, as the leader that it is. */
  begin(name: string): Promise<EncryptionOutcome> {
    const { sealing } = this.world.engine(name);
    const outcome = sealing.cutover.run(this.cluster.node(name).status().term);
    outcome.catch(() => {});
    return outcome;
  }

  /** The whole cutover, at the leader. */
  async cutOver(): Promise<number> {
    const leader = await this.cluster.leader(this.world.running());
    const outcome = await this.clock.until(this.begin(leader));
    assert.equal(outcome.kind, "taken");
    return outcome.kind === "taken" ? outcome.index : 0;
  }

  /** Proposes `change` at the leader. */
  async propose(change: EncryptionChange): Promise<void> {
    const leader = await this.cluster.leader(this.world.running());
    const outcome = this.world.engine(leader)
      .proposeEncryption(encodeEncryption(change));
    assert.ok(outcome !== null);
    assert.equal((await this.clock.until(outcome)).kind, "taken");
  }

  /** As `name` has applied it. */
  cutoverIndex(name: string): number {
    return this.world.engine(name).encryption.state.raftCutoverIndex;
  }

  /** Every write of `keys` took place once, as every member says. */
  async holds(keys: string, names = this.world.running()): Promise<void> {
    const sorted = [...keys].sort().join("");
    for (const name of names) {
      const held = await this.cluster.read(name);
      assert.deepEqual(held, { keys: sorted, count: keys.length }, name);
    }
  }

  /**
   * The log is sealed exactly above the cutover; returns how many entries are
   * sealed with each key.
   */
  sealedBy(): ReadonlyMap<number, number> {
    const running = this.world.running();
    const cutover = Math.max(...running.map((name) => this.cutoverIndex(name)));
    const counts = new Map<number, number>();
    for (const { index, type, data } of committed.values()) {
      if (type !== ENTRY_NORMAL || data.length === 0) continue;
      const { payload } = decodeProposal(data);
      if (isRaftMarker(payload)) {
        assert.equal(index, cutover, "one marker takes place");
        continue;
      }
      const keyId = peekRaftEnvelope(payload)?.keyId ?? NO_KEY;
      const isAbove = cutover > 0 && index > cutover;
      assert.equal(keyId !== NO_KEY, isAbove, `entry ${index}`);
      counts.set(keyId, (counts.get(keyId) ?? 0) + 1);
    }
    return counts;
  }
}
