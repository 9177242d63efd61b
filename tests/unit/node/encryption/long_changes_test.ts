import assert from "node:assert/strict";
import type { WrappedKey } from "../../../../src/base/data_key.ts";
import { decideEncryption } from "../../../../src/fsm/encryption.ts";
import { decodePayload } from "../../../../src/fsm/payload.ts";
import {
  type EncryptionChange,
  type EncryptionState,
  type MemberId,
  NO_ENCRYPTION,
} from "../../../../src/fsm/types.ts";
import { ChangeLock } from "../../../../src/node/encryption/change_lock.ts";
import {
  EncryptionChanges,
  type EncryptionChangesHost,
} from "../../../../src/node/encryption/changes.ts";
import type { LongChangeContext } from "../../../../src/node/encryption/long_changes.ts";
import type { MemberTask } from "../../../../src/node/encryption_port.ts";
import { EMPTY_STATE } from "../../../../src/store/meta.ts";
import { SimClock } from "../../../sim/io/clock.ts";
import { memberOf } from "../../store/store_model.ts";
import { BOOTSTRAP, CLUSTER, rotation, STORAGE } from "./changes.ts";

const TERMS = { dryRun: false, planHash: "", confirm: "prod", accept: [] };
const ON = { kind: "enable-storage-envelope" } as const;
const LOCK = { kind: "seal-cleartext" } as const;
const RAFT_ON = { kind: "enable-raft-envelope" } as const;

const WAITING: MemberTask = {
  ...{ member: "", state: "waiting", failure: "" },
  ...{ done: 0, total: 0, bytes: 0, elapsedMs: 0 },
};

/** A leader of three whose entries are applied at once. */
class Bench {
  readonly lock = new ChangeLock();
  readonly proposed: string[] = [];
  readonly scrubbed: string[] = [];
  readonly core = {
    state: {
      ...{ role: "leader", term: 3, lead: 1, leadTransferee: 0 },
      pendingConfIndex: 0,
    },
  };
  encryption: EncryptionState = NO_ENCRYPTION;
  ids: readonly MemberId[] = [1, 2, 3];
  index = 10;
  /** Of a long step that is under way. */
  meanwhile: (context: LongChangeContext) => Promise<void> | void = () => {};
  /** Called with the kind of each change that was applied. */
  afterApply: (kind: EncryptionChange["kind"]) => void = () => {};
  readonly changes: EncryptionChanges;

  constructor(...changes: readonly EncryptionChange[]) {
    for (const change of changes) this.#apply(change);
    const host = {
      core: this.core,
      lock: this.lock,
      clock: new SimClock(),
      self: { id: 1, name: "n1" },
      custody: {
        kekIds: ["file:00"],
        gaps: () => Promise.resolve([]),
        drawKey: ({ purpose }: { readonly purpose: string }) =>
          Promise.resolve(firstKey(purpose)),
      },
      fanOut: { ask: () => Promise.resolve([]) },
      electionMs: 500,
      state: () => ({
        applied: { index: this.index, term: 3 },
        fsm: {
          ...EMPTY_STATE.fsm,
          ...{ clusterId: CLUSTER, clusterName: "prod" },
          encryption: this.encryption,
          members: new Map(this.ids.map((id) => [id, memberOf(id)])),
        },
      }),
      isRegistered: () => true,
      isStopped: () => false,
      takeRegistration: () => null,
      propose: (payload: Uint8Array) => {
        const decoded = decodePayload(payload);
        assert.ok(decoded.kind === "encryption" || decoded.kind === "rollout");
        this.proposed.push(decoded.change.kind);
        if (decoded.kind === "encryption") this.#apply(decoded.change);
        return Promise.resolve({ kind: "taken", index: this.index });
      },
      long: {
        enableRaftEnvelope: () => assert.fail("no cutover"),
        sealCleartext: async (context: LongChangeContext) => {
          await this.meanwhile(context);
          return await context.propose(LOCK);
        },
        retireDek: async (keyId: number, context: LongChangeContext) =>
          await context.propose({ kind: "retire-dek", keyId }),
        scrub: async (
          members: readonly { readonly name: string }[],
          context: LongChangeContext,
        ) => {
          await this.meanwhile(context);
          for (const { name } of members) this.scrubbed.push(name);
        },
      },
    };
    this.changes = new EncryptionChanges(
      host as unknown as EncryptionChangesHost,
    );
  }

  #apply(change: EncryptionChange): void {
    this.index += 1;
    const { encryption } = this;
    const fsm = { ...EMPTY_STATE.fsm, clusterId: CLUSTER, encryption };
    const decision = decideEncryption(fsm, this.index, change);
    assert.ok(decision.kind === "taken");
    this.encryption = decision.next;
    this.afterApply(change.kind);
  }
}

Deno.test("a step that asks for long holds up nothing but its like", async () => {
  const bench = new Bench(BOOTSTRAP, ON);
  bench.meanwhile = async (context) => {
    assert.equal(bench.lock.holder, null);
    assert.deepEqual(context.members.map(({ name }) => name), [
      "n1",
      "n2",
      "n3",
    ]);
    assert.ok(bench.changes.isFree);
    await assert.rejects(bench.changes.change(LOCK, TERMS), {
      code: "NODE_CHANGE_UNDER_WAY",
    });
  };
  const { index, isChanged } = await bench.changes.change(LOCK, TERMS);
  assert.deepEqual([isChanged, index], [true, bench.index]);
  assert.equal(bench.encryption.cleartextLockIndex, index);
  assert.deepEqual(bench.proposed, ["event", "seal-cleartext", "event"]);
});

Deno.test("a long step is told as its members last told of it", async () => {
  const bench = new Bench(BOOTSTRAP, ON, LOCK, RAFT_ON);
  const { changes } = bench;
  const seen: string[] = [];
  const look = () => {
    const { action, members } = changes.underWay() ?? assert.fail("none");
    const states = members.map(({ member, state }) => `${member} ${state}`);
    seen.push([action, ...states].join());
  };
  bench.meanwhile = (context) => {
    look();
    context.told([{ ...WAITING, member: "n3", state: "running" }]);
    look();
    // One that has no part in it.
    context.told([{ ...WAITING, member: "n1", state: "running" }]);
    context.told([{ ...WAITING, member: "n2", state: "done" }]);
    look();
  };
  assert.equal(changes.underWay(), null);
  const scrub = { kind: "scrub", members: ["n3", "n2"] } as const;
  await changes.change(scrub, TERMS);
  assert.deepEqual(seen, [
    "scrub,n2 waiting,n3 waiting",
    "scrub,n2 waiting,n3 running",
    "scrub,n2 done,n3 running",
  ]);
  assert.equal(changes.underWay(), null);
  bench.core.state.role = "follower";
  assert.throws(() => changes.underWay(), { code: "NODE_NOT_LEADER" });
});

Deno.test("a long step that fails is under way no more", async () => {
  const bench = new Bench(BOOTSTRAP, ON, LOCK, RAFT_ON);
  bench.meanwhile = () => Promise.reject(new Error("it broke"));
  const scrub = { kind: "scrub", members: [] } as const;
  await assert.rejects(bench.changes.change(scrub, TERMS), /it broke/);
  assert.equal(bench.changes.underWay(), null);
});

Deno.test("a key is retired by its entry", async () => {
  const bench = new Bench(BOOTSTRAP, ON, rotation(44));
  const request = { kind: "retire-dek", keyId: STORAGE } as const;
  await bench.changes.change(request, TERMS);
  assert.ok(bench.encryption.retired.has(STORAGE));
});

Deno.test("members that had no part in it keep it from being proposed", async () => {
  const bench = new Bench(BOOTSTRAP, ON);
  bench.meanwhile = () => void (bench.ids = [1, 2, 3, 4]);
  await assert.rejects(bench.changes.change(LOCK, TERMS), {
    code: "NODE_MEMBER_CHANGE_REFUSED",
  });
  assert.equal(bench.encryption.cleartextLockIndex, 0);
  // One that went is no reason.
  bench.meanwhile = () => void (bench.ids = [1, 2]);
  assert.ok((await bench.changes.change(LOCK, TERMS)).isChanged);
});

Deno.test("a leadership that ended proposes nothing, and says so", async () => {
  const bench = new Bench(BOOTSTRAP, ON);
  bench.meanwhile = (context) => {
    context.mustLead();
    bench.core.state.term = 5;
    assert.throws(() => context.mustLead(), { code: "NODE_NOT_LEADER" });
  };
  await assert.rejects(bench.changes.change(LOCK, TERMS), {
    code: "NODE_NOT_LEADER",
  });
  assert.equal(bench.encryption.cleartextLockIndex, 0);
});

Deno.test("a scrub runs on the members that are named, or on all", async () => {
  const bench = new Bench(BOOTSTRAP, ON, LOCK, RAFT_ON);
  const scrub = (...members: string[]) =>
    bench.changes.change({ kind: "scrub", members }, TERMS);
  const done = await scrub("n2");
  assert.deepEqual([done.isChanged, done.index], [true, 0]);
  assert.deepEqual(bench.scrubbed, ["n2"]);
  await scrub();
  assert.deepEqual(bench.scrubbed, ["n2", "n1", "n2", "n3"]);
  await assert.rejects(scrub("n9"), { code: "NODE_MEMBER_UNKNOWN" });
});

Deno.test("a step that drew the first keys never says that nothing was changed", async () => {
  const bench = new Bench();
  const { changes, core } = bench;
  bench.afterApply = (kind) => {
    if (kind === "bootstrap") core.state.role = "follower";
  };
  await assert.rejects(changes.change(ON, TERMS), {
    code: "NODE_OUTCOME_UNKNOWN",
    remedy:
      "Look with `sealkv encryption status` whether it took place, and give the same command again when it did not",
  });
  assert.ok(bench.encryption.keys.size > 0);
});

function firstKey(purpose: string): WrappedKey | undefined {
  assert.ok(BOOTSTRAP.kind === "bootstrap");
  return BOOTSTRAP.keys.find((key) => key.purpose === purpose);
}
