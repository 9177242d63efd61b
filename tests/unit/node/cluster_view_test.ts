import assert from "node:assert/strict";
import { clusterView } from "../../../src/node/cluster_view.ts";
import { encodePacket } from "../../../src/node/packet.ts";
import { Peers } from "../../../src/node/peers.ts";
import type { MemberStatus } from "../../../src/node/port.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import type { RaftId } from "../../../src/raft/types.ts";
import { EMPTY_STATE, type StoreState } from "../../../src/store/meta.ts";
import type { PeerLinkStatus, Transport } from "../../../src/transport/port.ts";
import { CoreGroup, DrivenCore } from "../raft/core_group.ts";
import { memberOf } from "../store/store_model.ts";

const CLUSTER = new Uint8Array(16).fill(1);
const DISK = new Uint8Array(16).fill(2);
const CONFIG = { ...NO_CONFIG, voters: [1, 2, 3], learners: [7] };

function linkOf(id: RaftId, hears: boolean): PeerLinkStatus {
  const name = `n${id}`;
  return { id, name, isUp: true, hears, queuedBytes: 0, lastRefusal: null };
}

/** Voters 1 to 3 and the learner 7 as one of them sees them. */
class Bench {
  readonly group: CoreGroup;
  readonly peers: Peers;
  readonly links = new Map<RaftId, boolean>();
  readonly id: RaftId;
  state: StoreState;
  nowMs = 0;

  constructor(id: RaftId) {
    this.id = id;
    this.group = new CoreGroup(
      ...[1, 2, 3, 7].map((one) => new DrivenCore(one, CONFIG)),
    );
    const members = [1, 2, 3, 7].map((one) => ({
      ...memberOf(one, `p${one}:1`),
      clientAddress: `c${one}:1`,
      adminAddress: `a${one}:1`,
      diskId: one === 7 ? null : DISK,
    }));
    this.state = {
      ...EMPTY_STATE,
      applied: { index: 3, term: 2 },
      confState: CONFIG,
      fsm: {
        ...EMPTY_STATE.fsm,
        clusterId: CLUSTER,
        clusterName: "prod",
        members: new Map(members.map((member) => [member.id, member])),
      },
    };
    this.peers = new Peers({
      identity: {
        name: `n${id}`,
        id,
        diskId: DISK,
        foundingDigest: new Uint8Array(32),
      },
      initial: [memberOf(1), memberOf(2)],
      clusterId: null,
      epochs: () => new Map(),
      monotonicMs: () => this.nowMs,
      host: {
        state: () => ({ applied: 3, fsm: this.state.fsm }),
        onMessage: () => {},
        onPacket: () => {},
        onStream: () => {},
        onLinkUp: () => {},
        onLinkDown: () => {},
        onShutOut: () => {},
      },
    });
    const transport: Pick<Transport, "links" | "setPeers"> = {
      setPeers: () => {},
      links: () => [...this.links].map(([id, hears]) => linkOf(id, hears)),
    };
    this.peers.attach(transport as Transport, "here:1");
  }

  told(
    id: RaftId,
    applied: number,
    isReady = true,
    phase: 0 | 1 | 2 = 0,
  ): void {
    const state = { applied, commit: applied, isReady, phase };
    this.peers.onPacket(id, encodePacket({ kind: "state", ...state }));
    this.links.set(id, true);
  }

  view(given: { isReady?: boolean; isStopped?: boolean } = {}) {
    return clusterView({
      core: this.group.core(this.id),
      peers: this.peers,
      name: `n${this.id}`,
      state: this.state,
      isReady: true,
      isStopped: false,
      ...given,
    });
  }

  of<Field extends keyof MemberStatus>(field: Field) {
    return this.view().members.map((member) => member[field]);
  }
}

Deno.test("clusterView() before there is a list shows who is to come", () => {
  const bench = new Bench(1);
  bench.state = EMPTY_STATE;
  const { members, ...view } = bench.view({ isReady: false });
  assert.deepEqual(view, {
    cluster: "",
    clusterId: null,
    node: "n1",
    leader: "",
    term: 0,
    commit: 2,
    applied: 0,
    phase: 0,
    ready: false,
  });
  assert.deepEqual(members.map(({ name }) => name), ["n1", "n2"]);
  assert.ok(members.every(({ hasStarted }) => !hasStarted));
});

Deno.test("clusterView() shows how far sealing has come, at each member", () => {
  const bench = new Bench(1);
  bench.told(2, 3, true, 2);
  assert.deepEqual([bench.view().phase, bench.of("phase")], [0, [0, 2, 0, 0]]);
  for (const [phase, raftCutoverIndex] of [[1, 0], [2, 3]] as const) {
    const { fsm } = bench.state;
    const encryption = {
      ...fsm.encryption,
      ...{ storageCutoverIndex: 2, raftCutoverIndex },
    };
    bench.state = { ...bench.state, fsm: { ...fsm, encryption } };
    assert.equal(bench.view().phase, phase);
    assert.deepEqual(bench.of("phase"), [phase, 2, 0, 0]);
  }
});

Deno.test("clusterView() of the leader knows how it feeds the others", () => {
  const bench = new Bench(1);
  bench.group.isolated.add(7);
  bench.group.campaign(1);
  bench.group.ticks(1);
  const { commit, leader, term, cluster, applied } = bench.view();
  assert.deepEqual([cluster, leader, commit, applied], ["prod", "n1", 3, 3]);
  assert.equal(term, bench.group.core(1).state.term);
  assert.deepEqual(bench.of("role"), [
    "leader",
    "follower",
    "follower",
    "learner",
  ]);
  assert.deepEqual(bench.of("isVoter"), [true, true, true, false]);
  assert.deepEqual(bench.of("replication"), [
    "unknown",
    "replicate",
    "replicate",
    "probe",
  ]);
  assert.deepEqual(
    bench.of("applied"),
    [3, 3, 3, 0],
    "what they have at least",
  );
  assert.deepEqual(bench.of("lag"), [0, 0, 0, 3]);
  assert.deepEqual(bench.of("hasStarted"), [true, true, true, false]);
  assert.deepEqual(bench.of("peerAddress"), ["p1:1", "p2:1", "p3:1", "p7:1"]);
  assert.deepEqual(bench.of("clientAddress")[1], "c2:1");
  assert.deepEqual(bench.of("adminAddress")[1], "a2:1");
});

Deno.test("clusterView() believes what members told, while they are not silent", () => {
  const bench = new Bench(1);
  bench.group.campaign(1);
  bench.told(2, 2);
  bench.told(3, 3, false);
  bench.told(7, 99);
  assert.deepEqual(bench.of("applied"), [3, 2, 3, 99]);
  assert.deepEqual(bench.of("lag"), [0, 1, 0, 0], "never below 0");
  assert.deepEqual(bench.of("up"), [true, true, true, true]);
  assert.deepEqual(bench.of("ready"), [true, true, false, true]);
  bench.links.set(2, false);
  assert.deepEqual(bench.of("up"), [true, false, true, true]);
  assert.deepEqual(bench.of("ready"), [true, false, false, true]);
  bench.nowMs = 3_001;
  assert.deepEqual(bench.of("up"), [true, false, false, false]);
  assert.deepEqual(bench.of("ready"), [true, false, false, false]);
});

Deno.test("clusterView() of a follower knows the leader, not the feeding", () => {
  const bench = new Bench(2);
  bench.group.campaign(1);
  bench.told(1, 3);
  assert.equal(bench.view().leader, "n1");
  assert.deepEqual(bench.of("role"), [
    "leader",
    "follower",
    "follower",
    "learner",
  ]);
  assert.deepEqual(bench.of("replication"), Array(4).fill("unknown"));
});

const ROLES: [id: RaftId, preVote: boolean, role: string][] = [
  [2, true, "candidate"],
  [2, false, "candidate"],
  [7, true, "learner"],
];

for (const [id, preVote, role] of ROLES) {
  Deno.test(`clusterView() of member ${id} that campaigns shows a ${role}, trial ${preVote}`, () => {
    const bench = new Bench(id);
    bench.group.members.set(id, new DrivenCore(id, CONFIG, { preVote }));
    bench.group.core(id).campaign();
    const own = bench.view().members.find((member) => member.id === id);
    assert.equal(own?.role, role);
    assert.equal(bench.view().leader, "");
  });
}

Deno.test("clusterView() of a node that stopped is not up", () => {
  const bench = new Bench(1);
  const view = bench.view({ isReady: false, isStopped: true });
  assert.equal(view.ready, false);
  const [own] = view.members;
  assert.deepEqual([own?.up, own?.ready], [false, false]);
});

Deno.test("clusterView() shows both halves of a change as voters", () => {
  const bench = new Bench(1);
  const confState = {
    ...CONFIG,
    voters: [1, 2],
    votersOutgoing: [1, 2, 3],
  };
  bench.state = { ...bench.state, confState };
  assert.deepEqual(bench.of("isVoter"), [true, true, true, false]);
});
