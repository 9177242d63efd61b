import assert from "node:assert/strict";
import type { NodeError } from "../../../src/base/error.ts";
import { ChangeLock } from "../../../src/node/encryption/change_lock.ts";
import { membersAfter } from "../../../src/fsm/members.ts";
import type { FsmState, Member } from "../../../src/fsm/types.ts";
import { MemberChanges } from "../../../src/node/member_changes.ts";
import type { ChangeTerms, MemberRequest } from "../../../src/node/port.ts";
import { decodeConfChange } from "../../../src/raft/conf_change.ts";
import { confStateAfter } from "../../../src/raft/conf_switch.ts";
import { MSG_PROP } from "../../../src/raft/message.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import {
  type ConfState,
  type Entry,
  ENTRY_NORMAL,
  type RaftId,
} from "../../../src/raft/types.ts";
import { EMPTY_STATE } from "../../../src/store/meta.ts";
import { SimClock } from "../../sim/io/clock.ts";
import { CoreGroup, DrivenCore } from "../raft/core_group.ts";
import { memberOf } from "../store/store_model.ts";

const ELECTION_MS = 500;
const TICK_MS = 50;
const TERMS: ChangeTerms = {
  dryRun: false,
  planHash: "",
  confirm: "prod",
  accept: [],
};

/** Members as entries leave them, and the changes of one of them. */
class Place {
  readonly driven: DrivenCore;
  readonly changes: MemberChanges;
  readonly lock = new ChangeLock();
  confState: ConfState;
  fsm: FsmState;
  isStopped = false;

  constructor(bench: Bench, driven: DrivenCore, voters: readonly RaftId[]) {
    this.driven = driven;
    this.confState = { ...NO_CONFIG, voters };
    this.fsm = {
      ...EMPTY_STATE.fsm,
      clusterName: "prod",
      members: new Map(
        voters.map((id): [number, Member] => [id, started(id)]),
      ),
    };
    driven.onApply = (entries) => this.#apply(entries);
    this.changes = new MemberChanges({
      core: driven.core,
      clock: bench.clock,
      electionMs: ELECTION_MS,
      state: () => ({
        applied: driven.core.state.entryLog.applied,
        confState: this.confState,
        fsm: this.fsm,
      }),
      isUp: (id) => !bench.group.isolated.has(id),
      wake: () => bench.wakes += 1,
      lock: this.lock,
      isStopped: () => this.isStopped,
      log: { write: (_, event) => bench.said.push(event) },
      gate: bench.gate,
    });
  }

  #apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.type === ENTRY_NORMAL) continue;
      const before = this.confState;
      const after = confStateAfter(before, entry);
      this.confState = after;
      this.fsm = membersAfter(this.fsm, {
        before: idsOf(before),
        after: idsOf(after),
        context: decodeConfChange(entry.type, entry.data).context,
      });
    }
  }
}

function started(id: RaftId): Member {
  return { ...memberOf(id, `n${id}:1`), diskId: new Uint8Array(16).fill(id) };
}

function idsOf(conf: ConfState): readonly RaftId[] {
  const { voters, votersOutgoing, learners, learnersNext } = conf;
  return [...voters, ...votersOutgoing, ...learners, ...learnersNext];
}

class Bench {
  readonly clock = new SimClock();
  readonly group: CoreGroup;
  readonly places = new Map<RaftId, Place>();
  wakes = 0;
  readonly said: string[] = [];
  readonly gate = {
    isOn: false,
    admitted: [] as string[],
    /** What a member lacks; nobody else lacks anything. */
    lacks: new Map<string, string>(),
    asked: 0,
    /** Time that a question takes. */
    asksMs: 0,
    asking: 0,
    askingMax: 0,
    admit: (name: string) => {
      this.gate.admitted.push(name);
      return Promise.resolve();
    },
    unprovenOf: async ({ name }: { readonly name: string }) => {
      this.gate.asked += 1;
      this.gate.asking += 1;
      this.gate.askingMax = Math.max(this.gate.askingMax, this.gate.asking);
      if (this.gate.asksMs > 0) {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.clock.after(this.gate.asksMs, resolve);
        await promise;
      }
      this.gate.asking -= 1;
      const code = this.gate.lacks.get(name) ?? null;
      return code === null
        ? null
        : { member: name, code, message: "it lacks", remedy: "Give it" };
    },
  };

  /** Voters 1 to `count`; 1 leads. */
  constructor(count: number) {
    this.group = CoreGroup.of(count);
    const voters = [...this.group.members.keys()];
    for (const [id, driven] of this.group.members) {
      this.places.set(id, new Place(this, driven, voters));
    }
    this.group.campaign(1);
    this.group.ticks(1);
  }

  at(id: RaftId): Place {
    return this.places.get(id)!;
  }

  change(
    request: MemberRequest,
    terms: Partial<ChangeTerms> = {},
    at: RaftId = 1,
  ) {
    return this.at(at).changes.change(request, { ...TERMS, ...terms });
  }

  /** Passes time with everything that goes with it. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += TICK_MS) {
      this.group.settle();
      this.group.ticks(1);
      for (const { changes } of this.places.values()) changes.progressed();
      await this.clock.run(TICK_MS);
    }
  }

  async until<T>(done: Promise<T>): Promise<T> {
    let isSettled = false;
    const mark = () => void (isSettled = true);
    done.then(mark, mark);
    for (let i = 0; i < 400 && !isSettled; i += 1) await this.pass(TICK_MS);
    assert.ok(isSettled, "it ends");
    return await done;
  }

  /** Starts the learner `id`: its log comes from the leader. */
  startLearner(id: RaftId): void {
    const { confState } = this.at(1);
    const driven = new DrivenCore(id, { voters: [1], learners: [id] });
    this.group.members.set(id, driven);
    assert.ok(confState.learners.includes(id));
    for (const place of this.places.values()) {
      const members = new Map(place.fsm.members);
      const diskId = new Uint8Array(16).fill(id);
      members.set(id, { ...members.get(id)!, diskId });
      place.fsm = { ...place.fsm, members };
    }
  }
}

function refusedWith(code: string) {
  return (error: NodeError) => error.code === code;
}

const add = (name: string, promote = false): MemberRequest => ({
  kind: "add",
  name,
  peerAddress: `${name}:1`,
  promote,
});

Deno.test("MemberChanges.change() adds a learner under the index of its entry", async () => {
  for (const count of [1, 2, 3]) {
    const bench = new Bench(count);
    const expected = bench.group.core(1).status().lastIndex + 1;
    const { memberId, isChanged } = await bench.until(bench.change(add("n9")));
    assert.ok(isChanged);
    assert.equal(memberId, expected);
    assert.ok(bench.wakes > 0);
    await bench.pass(TICK_MS * 4);
    for (const place of bench.places.values()) {
      assert.deepEqual(place.confState.learners, [memberId]);
      const { name, peerAddress, diskId } = place.fsm.members.get(memberId)!;
      assert.deepEqual([name, peerAddress, diskId], ["n9", "n9:1", null]);
    }
    const again = await bench.change(add("n9"));
    assert.deepEqual([again.isChanged, again.memberId], [false, memberId]);
  }
});

Deno.test("MemberChanges.change() only plans on a dry run", async () => {
  const bench = new Bench(3);
  const { lastIndex } = bench.group.core(1).status();
  const plan = await bench.change(add("n9"), { dryRun: true });
  assert.deepEqual([plan.isChanged, plan.memberId], [false, 0]);
  const removal = await bench.change({ kind: "remove", name: "n3" }, {
    dryRun: true,
  });
  assert.deepEqual([removal.isChanged, removal.memberId], [false, 3]);
  await bench.pass(TICK_MS);
  assert.equal(bench.group.core(1).status().lastIndex, lastIndex);
  const done = await bench.until(
    bench.change({ kind: "remove", name: "n3" }, {
      planHash: removal.plan.hash,
    }),
  );
  assert.equal(done.plan.hash, removal.plan.hash);
});

Deno.test("MemberChanges.change() removes a member", async () => {
  for (const [count, left] of [[3, [1, 2]], [2, [1]]] as const) {
    const bench = new Bench(count);
    const name = `n${count}`;
    const done = await bench.until(bench.change({ kind: "remove", name }));
    assert.deepEqual([done.isChanged, done.memberId], [true, count]);
    assert.deepEqual(bench.at(1).confState.voters, left);
    assert.deepEqual([...bench.at(1).fsm.members.keys()], left);
  }
});

Deno.test("MemberChanges.change() removes the leader after handing over", async () => {
  const bench = new Bench(3);
  const done = await bench.until(bench.change({ kind: "remove", name: "n1" }));
  assert.deepEqual([done.isChanged, done.memberId], [true, 1]);
  const leader = bench.group.leader()!;
  assert.notEqual(leader, 1);
  assert.deepEqual(bench.at(leader).confState.voters, [2, 3]);
});

Deno.test("MemberChanges.change() removes the leader also when the word gets lost", async () => {
  const bench = new Bench(3);
  const removal = bench.change({ kind: "remove", name: "n1" });
  let lost = 0;
  bench.group.isLost = ({ type }) => {
    if (type !== MSG_PROP || lost === 2) return false;
    lost += 1;
    return true;
  };
  await bench.until(removal);
  assert.equal(lost, 2);
  assert.deepEqual(bench.at(bench.group.leader()!).confState.voters, [2, 3]);
});

Deno.test("MemberChanges.change() promotes a learner that has caught up", async () => {
  const bench = new Bench(1);
  const { memberId } = await bench.until(bench.change(add("n9")));
  const promotion: MemberRequest = { kind: "promote", name: "n9" };
  await assert.rejects(
    bench.change(promotion),
    refusedWith("NODE_MEMBER_BEHIND"),
  );
  bench.startLearner(memberId);
  await bench.pass(TICK_MS * 4);
  const done = await bench.until(bench.change(promotion));
  assert.deepEqual([done.isChanged, done.memberId], [true, memberId]);
  assert.deepEqual(bench.at(1).confState.voters, [1, memberId]);
  const again = await bench.change(promotion);
  assert.deepEqual([again.isChanged, again.memberId], [false, memberId]);
});

for (const promote of [true, false]) {
  Deno.test(`MemberChanges.promoteCaughtUp() heeds the wish: ${promote}`, async () => {
    const bench = new Bench(1);
    const { memberId } = await bench.until(bench.change(add("n9", promote)));
    const { changes } = bench.at(1);
    changes.promoteCaughtUp();
    await bench.pass(TICK_MS * 4);
    assert.deepEqual(bench.at(1).confState.voters, [1], "it never started");
    bench.startLearner(memberId);
    bench.group.isolated.add(memberId);
    changes.promoteCaughtUp();
    await bench.pass(TICK_MS * 4);
    assert.deepEqual(bench.at(1).confState.voters, [1], "it is not up");
    bench.group.isolated.delete(memberId);
    await bench.pass(TICK_MS * 4);
    changes.promoteCaughtUp();
    changes.promoteCaughtUp();
    await bench.pass(TICK_MS * 4);
    const voters = promote ? [1, memberId] : [1];
    assert.deepEqual(bench.at(1).confState.voters, voters);
    changes.promoteCaughtUp();
    await bench.pass(TICK_MS * 4);
    assert.deepEqual(bench.at(1).confState.voters, voters);
  });
}

Deno.test("MemberChanges.change() hands the leadership over", async () => {
  const bench = new Bench(3);
  const request: MemberRequest = { kind: "transfer-leader", name: "n3" };
  const done = await bench.until(bench.change(request));
  assert.deepEqual([done.isChanged, done.memberId], [true, 3]);
  assert.equal(bench.group.leader(), 3);
  const again = await bench.change(request, {}, 3);
  assert.deepEqual([again.isChanged, again.memberId], [false, 3]);
});

Deno.test("MemberChanges.change() gives up on an heir that does not take it", async () => {
  const bench = new Bench(3);
  bench.group.isolated.add(3);
  const transfer = bench.change({ kind: "transfer-leader", name: "n3" });
  await assert.rejects(
    bench.until(transfer),
    refusedWith("NODE_TRANSFER_FAILED"),
  );
  assert.equal(bench.group.leader(), 1);
  await bench.until(bench.change(add("n9")));
});

Deno.test("MemberChanges.change() is the leader's, and not while it leaves", async () => {
  const bench = new Bench(3);
  await assert.rejects(
    bench.change(add("n9"), {}, 2),
    { code: "NODE_NOT_LEADER", leader: "n1" },
  );
  bench.group.isolated.add(3);
  bench.change({ kind: "transfer-leader", name: "n3" }).catch(() => {});
  await assert.rejects(
    bench.change(add("n9")),
    refusedWith("NODE_NOT_LEADER"),
  );
  await bench.pass(ELECTION_MS * 4);
});

Deno.test("MemberChanges.change() refuses a second change at a time", async () => {
  const bench = new Bench(3);
  const first = bench.change(add("n8"));
  await assert.rejects(
    bench.change(add("n9")),
    refusedWith("NODE_CHANGE_UNDER_WAY"),
  );
  await bench.until(first);
  await bench.until(bench.change(add("n9")));
  assert.equal(bench.at(1).confState.learners.length, 2);
});

Deno.test("MemberChanges.change() does not know what became of a change in time", async () => {
  const bench = new Bench(3);
  bench.group.isolated.add(1);
  const change = bench.change(add("n9"));
  await assert.rejects(
    bench.until(change),
    refusedWith("NODE_OUTCOME_UNKNOWN"),
  );
});

Deno.test("MemberChanges.change() ends with its node", async () => {
  const bench = new Bench(3);
  bench.group.isolated.add(1);
  const change = bench.change(add("n9"));
  bench.at(1).isStopped = true;
  bench.at(1).changes.progressed();
  await assert.rejects(change, refusedWith("NODE_OUTCOME_UNKNOWN"));
  assert.equal(bench.clock.nextAtMs(), null, "no timer is left");
});

Deno.test("MemberChanges.change() refuses a name or address no member can have", async () => {
  const bench = new Bench(1);
  for (const name of ["", "N9", "a b", "x".repeat(64)]) {
    await assert.rejects(
      bench.change(add(name)),
      refusedWith("NODE_MEMBER_CHANGE_REFUSED"),
      name,
    );
  }
  const far: MemberRequest = {
    kind: "add",
    name: "n9",
    peerAddress: "x".repeat(301),
    promote: false,
  };
  await assert.rejects(
    bench.change(far),
    refusedWith("NODE_MEMBER_CHANGE_REFUSED"),
  );
});

Deno.test("MemberChanges.handOver() leaves the best voter leading, if there is one", async () => {
  const bench = new Bench(3);
  bench.group.isolated.add(2);
  await bench.until(bench.at(1).changes.handOver());
  assert.equal(bench.group.core(3).state.role, "leader");
  await bench.at(1).changes.handOver();
  const lone = new Bench(1);
  await lone.at(1).changes.handOver();
  assert.equal(lone.group.leader(), 1);
});

Deno.test("MemberChanges.facts() knows each member as it is", async () => {
  const bench = new Bench(3);
  bench.group.isolated.add(3);
  const facts = bench.at(1).changes.facts();
  const { committed, term } = bench.group.core(1).status();
  assert.deepEqual(
    [facts.clusterName, facts.self, facts.term, facts.commit],
    ["prod", 1, term, committed],
  );
  assert.deepEqual(
    facts.members.map(({ id, isVoter, isActive, match }) => [
      id,
      isVoter,
      isActive,
      match,
    ]),
    [
      [1, true, true, committed],
      [2, true, true, committed],
      [3, true, false, committed],
    ],
  );
});

Deno.test("MemberChanges.change() admits a candidate first, once there are keys", async () => {
  const bench = new Bench(3);
  await bench.until(bench.change(add("n8")));
  assert.deepEqual(bench.gate.admitted, []);
  bench.gate.isOn = true;
  await bench.until(bench.change(add("n9")));
  assert.deepEqual(bench.gate.admitted, ["n9"]);
  assert.equal(bench.gate.asked, 0, "it has no link yet");
});

Deno.test("MemberChanges.change() promotes nobody who has not proven", async () => {
  const bench = new Bench(1);
  bench.gate.isOn = true;
  const { memberId } = await bench.until(bench.change(add("n9")));
  bench.startLearner(memberId);
  await bench.pass(TICK_MS * 4);
  const promotion: MemberRequest = { kind: "promote", name: "n9" };
  bench.gate.lacks.set("n9", "kek-unproven");
  const { lastIndex } = bench.group.core(1).status();
  await assert.rejects(
    bench.until(bench.change(promotion)),
    refusedWith("NODE_MEMBER_UNPROVEN"),
  );
  assert.equal(bench.group.core(1).status().lastIndex, lastIndex);
  bench.gate.lacks.clear();
  await bench.until(bench.change(promotion));
  assert.deepEqual(bench.at(1).confState.voters, [1, memberId]);
  assert.equal(bench.gate.asked, 2);
});

Deno.test("MemberChanges.promoteCaughtUp() waits for the proof, and says so once", async () => {
  const bench = new Bench(1);
  bench.gate.isOn = true;
  const { memberId } = await bench.until(bench.change(add("n9", true)));
  const { changes, lock } = bench.at(1);
  bench.startLearner(memberId);
  await bench.pass(TICK_MS * 4);
  bench.gate.lacks.set("n9", "unreachable");
  const tick = async (times: number) => {
    for (let i = 0; i < times; i += 1) {
      changes.promoteCaughtUp();
      assert.equal(lock.holder, null, "others may change the cluster");
      await bench.pass(TICK_MS);
    }
  };
  await tick(100);
  assert.deepEqual(bench.at(1).confState.voters, [1]);
  assert.deepEqual(bench.said, ["encryption_promotion_waits"]);
  assert.ok(bench.gate.asked >= 2 && bench.gate.asked <= 4, "every 2 s");
  bench.gate.lacks.clear();
  await tick(60);
  assert.deepEqual(bench.at(1).confState.voters, [1, memberId]);
});

Deno.test("MemberChanges.promoteCaughtUp() asks a slow learner one question at a time", async () => {
  const bench = new Bench(1);
  bench.gate.isOn = true;
  bench.gate.asksMs = 2_500;
  bench.gate.lacks.set("n9", "unreachable");
  const { memberId } = await bench.until(bench.change(add("n9", true)));
  const { changes } = bench.at(1);
  bench.startLearner(memberId);
  for (let i = 0; i < 300; i += 1) {
    changes.promoteCaughtUp();
    await bench.pass(TICK_MS);
  }
  assert.ok(bench.gate.asked > 1, `${bench.gate.asked}`);
  assert.equal(bench.gate.askingMax, 1);
});
