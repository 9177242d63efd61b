import assert from "node:assert/strict";
import { CommandMalformedError } from "../../../src/fsm/errors.ts";
import { encodeMemberContext } from "../../../src/fsm/members.ts";
import {
  encodeAnnouncement,
  encodeClusterInit,
} from "../../../src/fsm/payload.ts";
import { encodeProposal } from "../../../src/fsm/proposal.ts";
import type { Member, WriteReply } from "../../../src/fsm/types.ts";
import { Applier } from "../../../src/node/applier.ts";
import { ApplyHaltedError } from "../../../src/node/errors.ts";
import {
  CHANGE_ADD_LEARNER,
  CHANGE_ADD_VOTER,
  CHANGE_REMOVE,
  encodeConfChange,
  LEAVE_JOINT,
  type SingleChange,
  TRANSITION_EXPLICIT,
} from "../../../src/raft/conf_change.ts";
import {
  type Entry,
  ENTRY_CONF_CHANGE_V2,
  ENTRY_NORMAL,
} from "../../../src/raft/types.ts";
import { BufferedStore } from "../../../src/store/buffered_store.ts";
import { SimKv, SimKvDisk } from "../../sim/io/kv.ts";
import { memberOf, SILENT_LOG } from "../store/store_model.ts";

const DISK_ID = new Uint8Array(16).fill(7);
const FOUNDERS = [
  memberOf(1, "n1:1"),
  memberOf(2, "n2:1"),
  memberOf(3, "n3:1"),
];

/** An applier on a store of voters 1 to 3, and what it told its node. */
class Bench {
  readonly replies = new Map<number, readonly WriteReply[]>();
  readonly store: BufferedStore;
  readonly #applier: Applier;
  readonly skipped: number[] = [];
  halted: Error | null = null;
  #index = 0;
  #settled = Promise.withResolvers<void>();
  #left = 0;

  private constructor(store: BufferedStore) {
    this.store = store;
    this.#applier = new Applier(store, {
      clusterIdKnown: () => Promise.resolve(),
      applied: ({ replies, index }) => {
        for (const [id, reply] of replies) this.replies.set(id, reply);
        if (index === this.#left) this.#settled.resolve();
      },
      skipped: (seq) => this.skipped.push(seq),
      halted: (error) => {
        this.halted = error;
        this.#settled.resolve();
      },
    });
  }

  static async open(disk: SimKvDisk): Promise<Bench> {
    const kv = new SimKv({ disk });
    const store = await BufferedStore.open({ kv, log: SILENT_LOG });
    const { confState } = store.state;
    if (confState.voters.length === 0) {
      const founded = { ...confState, voters: [1, 2, 3] };
      await store.commit({
        state: { ...store.state, confState: founded },
        mutations: [],
      });
    }
    const bench = new Bench(store);
    bench.#index = store.state.applied.index;
    return bench;
  }

  /** Applies entries of these data, as one group. */
  async apply(...items: readonly (readonly [number, Uint8Array])[]) {
    const entries = items.map(([type, data]): Entry => {
      this.#index += 1;
      return { type: type as Entry["type"], term: 1, index: this.#index, data };
    });
    this.#left = this.#index;
    this.#settled = Promise.withResolvers<void>();
    this.#applier.enqueue({ seq: 1, entries });
    await this.#settled.promise;
  }

  members(): readonly Member[] {
    return [...this.store.state.fsm.members.values()];
  }

  async close(): Promise<void> {
    await this.#applier.stop();
    await this.store.close();
  }
}

function normal(id: number, payload: Uint8Array) {
  return [ENTRY_NORMAL, encodeProposal(id, payload)] as const;
}

function change(
  changes: readonly SingleChange[],
  context: readonly Member[] = [],
) {
  return [
    ENTRY_CONF_CHANGE_V2,
    encodeConfChange({
      transition: TRANSITION_EXPLICIT,
      changes,
      context: encodeMemberContext(context),
    }),
  ] as const;
}

const init = normal(
  1,
  encodeClusterInit(new Uint8Array(16).fill(1), "c", FOUNDERS),
);
const leave = [ENTRY_CONF_CHANGE_V2, encodeConfChange(LEAVE_JOINT)] as const;

Deno.test("Applier keeps members as the conf state has them, in one group", async () => {
  const disk = new SimKvDisk();
  const bench = await Bench.open(disk);
  const joining = { ...memberOf(7, "n7:1"), promoteWhenCaughtUp: true };
  const said = { ...joining, peerAddress: "n7:2", diskId: DISK_ID };
  await bench.apply(
    init,
    [ENTRY_NORMAL, new Uint8Array(0)],
    change([
      { type: CHANGE_ADD_LEARNER, id: 7 },
      { type: CHANGE_REMOVE, id: 2 },
    ], [joining]),
    normal(2, encodeAnnouncement(said)),
  );
  assert.deepEqual(bench.replies.get(2)?.map(({ kind }) => kind), [
    "committed",
  ]);
  const [n1, n2, n3] = FOUNDERS;
  assert.deepEqual(bench.members(), [n1, n2, n3, said], "2 is outgoing yet");
  await bench.apply(leave, change([{ type: CHANGE_ADD_VOTER, id: 7 }]));
  assert.deepEqual(bench.members(), [n1, n3, said]);
  await bench.close();
  const again = await Bench.open(disk);
  assert.deepEqual(again.members(), [n1, n3, said], "also after a restart");
  await again.apply(leave);
  assert.deepEqual(again.members(), [n1, n3, said]);
  assert.deepEqual(again.store.state.confState.voters, [1, 3, 7]);
  await again.close();
});

Deno.test("Applier leaves members alone when a change cannot be", async () => {
  const bench = await Bench.open(new SimKvDisk());
  const all = [1, 2, 3].map((id) => ({ type: CHANGE_REMOVE, id } as const));
  await bench.apply(init, change(all, [memberOf(9)]));
  assert.deepEqual(bench.members(), FOUNDERS);
  assert.deepEqual(bench.store.state.confState.voters, [1, 2, 3]);
  assert.equal(bench.halted, null);
  await bench.close();
});

Deno.test("Applier halts before a change whose context it does not know", async () => {
  const bench = await Bench.open(new SimKvDisk());
  await bench.apply(init);
  const [type, data] = change([{ type: CHANGE_ADD_LEARNER, id: 7 }]);
  await bench.apply([type, Uint8Array.of(...data, 0xff)]);
  assert.ok(bench.halted instanceof ApplyHaltedError);
  assert.equal(bench.halted.index, 2);
  assert.ok(bench.halted.cause instanceof CommandMalformedError);
  assert.equal(bench.store.state.applied.index, 1);
  assert.deepEqual(bench.members(), FOUNDERS);
  await bench.close();
});
