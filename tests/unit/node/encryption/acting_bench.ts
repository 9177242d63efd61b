import assert from "node:assert/strict";
import { encodeEncryption } from "../../../../src/fsm/encryption_payload.ts";
import { encodeClock, encodeClusterInit } from "../../../../src/fsm/payload.ts";
import { encodeProposal } from "../../../../src/fsm/proposal.ts";
import type { EncryptionChange } from "../../../../src/fsm/types.ts";
import type { KeyCustody } from "../../../../src/keys/port.ts";
import { type AppliedGroup, Applier } from "../../../../src/node/applier.ts";
import { EncryptionActing } from "../../../../src/node/encryption/acting.ts";
import { writerNameOf } from "../../../../src/node/encryption/own_rows.ts";
import { type Entry, ENTRY_NORMAL } from "../../../../src/raft/types.ts";
import { OpenAhead } from "../../../../src/node/raft_sealing/open_ahead.ts";
import { RaftOpener } from "../../../../src/node/raft_sealing/opener.ts";
import { BufferedStore } from "../../../../src/store/buffered_store.ts";
import { settle, SimClock } from "../../../sim/io/clock.ts";
import {
  SimKv,
  type SimKvDisk,
  type SimKvOptions,
} from "../../../sim/io/kv.ts";
import { SimLog } from "../../../sim/io/log.ts";
import { memberOf } from "../../store/store_model.ts";
import { CLUSTER } from "./changes.ts";

export interface BenchOptions {
  readonly kv?: SimKvOptions;
  /** First entry that is the node's own: 0 for a founder. */
  readonly ownFrom?: number;
}

/** An applier on a store, and what it told its node. */
export class ActingBench {
  readonly log = new SimLog();
  readonly groups: AppliedGroup[] = [];
  /** What a restart would have found when the last group was told. */
  durableWhenTold = 0;
  readonly skipped: number[] = [];
  readonly acting: EncryptionActing;
  readonly applier: Applier;
  halted: Error | null = null;

  private constructor(
    readonly clock: SimClock,
    readonly store: BufferedStore,
    readonly custody: KeyCustody,
    ownFrom: number,
  ) {
    this.acting = new EncryptionActing({
      ...{ custody, store, clock: this.clock, log: this.log },
      writer: writerNameOf(custody.node),
      isBeforeOwn: (index) => index < ownFrom,
    });
    this.applier = new Applier(store, {
      clusterIdKnown: () => Promise.resolve(),
      applied: (group) => {
        this.groups.push(group);
        this.durableWhenTold = this.durable;
      },
      skipped: (seq) => this.skipped.push(seq),
      halted: (error) => this.halted = error,
    }, {
      acting: this.acting,
      opening: new OpenAhead(new RaftOpener({ name: "n1", custody })),
    });
  }

  static async open(
    disk: SimKvDisk,
    custody: KeyCustody,
    { kv = {}, ownFrom = 0 }: BenchOptions = {},
  ): Promise<ActingBench> {
    const clock = new SimClock();
    const store = await BufferedStore.open({
      clock,
      kv: new SimKv({ ...kv, disk }),
      log: new SimLog(),
    });
    return new ActingBench(clock, store, custody, ownFrom);
  }

  get applied(): number {
    return this.store.state.applied.index;
  }

  /** What a restart would find. */
  get durable(): number {
    return this.store.durable.applied.index;
  }

  /** Hands the entries of `log` above the applied one over, as one job. */
  enqueue(log: readonly Uint8Array[], seq = 1): void {
    const entries = entriesOf(log).slice(this.applied);
    this.applier.enqueue({ seq, entries });
  }

  /** Applies `log` to its end. */
  async apply(log: readonly Uint8Array[]): Promise<void> {
    this.enqueue(log);
    await settle();
    if (this.halted !== null) throw this.halted;
    assert.equal(this.applied, log.length);
  }

  async close(): Promise<void> {
    await this.applier.stop();
    await this.store.close();
  }
}

/** A change under the proposal id that is its place in the log. */
export function changeEntry(id: number, change: EncryptionChange): Uint8Array {
  return encodeProposal(id, encodeEncryption(change));
}

export function foundingEntry(clusterId = CLUSTER): Uint8Array {
  const members = [memberOf(1, "n1:1"), memberOf(2, "n2:1")];
  return encodeProposal(0, encodeClusterInit(clusterId, "c", members));
}

export function clockEntry(ms: number): Uint8Array {
  return encodeProposal(0, encodeClock(ms));
}

/** Entries of these data, from index 1. */
export function entriesOf(log: readonly Uint8Array[]): readonly Entry[] {
  return log.map((data, i) => ({
    type: ENTRY_NORMAL,
    term: 1,
    index: i + 1,
    data: new Uint8Array(data),
  }));
}
