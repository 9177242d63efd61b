import assert from "node:assert/strict";
import { present } from "../../../src/base/assert.ts";
import type { FsmState, Member } from "../../../src/fsm/types.ts";
import { encodePacket, type MemberState } from "../../../src/node/packet.ts";
import { Peers } from "../../../src/node/peers.ts";
import type { Message } from "../../../src/raft/message.ts";
import { EMPTY_STATE } from "../../../src/store/meta.ts";
import {
  type PeerAddress,
  type PeerIdentity,
  type PeerLinkStatus,
  PROTOCOL_VERSION,
  type Transport,
} from "../../../src/transport/port.ts";
import { memberOf } from "../store/store_model.ts";

const CLUSTER = new Uint8Array(16).fill(1);
const DISK = new Uint8Array(16).fill(5);
const FOUNDING = new Uint8Array(32).fill(3);
const STATE: MemberState = {
  kind: "state",
  applied: 5,
  commit: 6,
  isReady: true,
  phase: 0,
};

class LinksFake implements Transport {
  dialled: readonly PeerAddress[] = [];
  dials = 0;
  up: PeerLinkStatus[] = [];
  readonly packets: [to: number, packet: Uint8Array][] = [];
  readonly address = { hostname: "0.0.0.0", port: 7 };
  isClosed = false;
  readonly counters = {
    messagesSent: 0,
    messagesReceived: 0,
    messagesDropped: 0,
    bytesSent: 0,
    bytesReceived: 0,
    connects: 0,
    refusals: 0,
  };

  setPeers(peers: readonly PeerAddress[]): void {
    this.dialled = peers;
    this.dials += 1;
  }

  send(_messages: readonly Message[]): void {}

  sendPacket(to: number, packet: Uint8Array): boolean {
    this.packets.push([to, packet]);
    return true;
  }

  openStream(): Promise<never> {
    return Promise.reject(new Error("not there"));
  }

  links(): readonly PeerLinkStatus[] {
    return this.up;
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

function link(id: number, given: Partial<PeerLinkStatus> = {}): PeerLinkStatus {
  return {
    id,
    name: `n${id}`,
    isUp: true,
    hears: true,
    queuedBytes: 0,
    lastRefusal: null,
    ...given,
  };
}

class Bench {
  readonly links = new LinksFake();
  readonly told: string[] = [];
  readonly peers: Peers;
  applied = 100;
  nowMs = 0;
  fsm: FsmState = EMPTY_STATE.fsm;
  epochs = new Map<number, number>();

  constructor(initial: readonly Member[] = [], clusterId = false) {
    this.peers = new Peers({
      identity: {
        name: "n1",
        id: 1,
        diskId: DISK,
        foundingDigest: FOUNDING,
      },
      initial,
      clusterId: clusterId ? CLUSTER : null,
      epochs: () => this.epochs,
      monotonicMs: () => this.nowMs,
      host: {
        state: () => ({ applied: this.applied, fsm: this.fsm }),
        onMessage: (from) => this.told.push(`message ${from}`),
        onPacket: (from, { kind }) => this.told.push(`${kind} ${from}`),
        onStream: (from) => this.told.push(`stream ${from}`),
        onLinkUp: (peer) => this.told.push(`up ${peer}`),
        onLinkDown: (peer) => this.told.push(`down ${peer}`),
        onShutOut: (refusal) => this.told.push(refusal),
      },
    });
  }

  static of(...ids: readonly number[]): Bench {
    const bench = new Bench();
    bench.setMembers(...ids.map((id) => memberOf(id, `h${id}:${id}`)));
    bench.peers.attach(bench.links, "h1:1");
    return bench;
  }

  setMembers(...members: readonly Member[]): void {
    this.fsm = {
      ...this.fsm,
      clusterId: CLUSTER,
      members: new Map(members.map((member) => [member.id, member])),
    };
  }

  claim(id: number, address: string): string | null {
    const claim: PeerIdentity = {
      clusterId: CLUSTER,
      name: `n${id}`,
      id,
      address,
      diskId: DISK,
      protocolVersion: PROTOCOL_VERSION,
      foundingDigest: FOUNDING,
      epochs: [],
    };
    return this.peers.vet(claim);
  }

  dialled(): readonly string[] {
    return this.links.dialled.map(({ id, name, hostname, port }) =>
      `${id} ${name} ${hostname} ${port}`
    );
  }
}

Deno.test("Peers dials the initial members until there is a list", () => {
  const bench = new Bench([1, 2, 3].map((id) => memberOf(id, `h${id}:1`)));
  bench.peers.attach(bench.links, "h1:1");
  assert.deepEqual(bench.dialled(), ["2 n2 h2 1", "3 n3 h3 1"]);
  assert.equal(bench.peers.nameOf(3), "n3");
  bench.setMembers(memberOf(1, "h1:1"), memberOf(3, "h3:9"));
  bench.peers.refresh();
  assert.deepEqual(bench.dialled(), ["3 n3 h3 9"]);
  assert.equal(bench.peers.nameOf(2), "");
});

Deno.test("Peers.refresh() dials again only when the list is another", () => {
  const bench = Bench.of(1, 2);
  const { dials } = bench.links;
  bench.peers.refresh();
  bench.fsm = { ...bench.fsm, clockMs: 9 };
  bench.peers.refresh();
  assert.equal(bench.links.dials, dials);
  bench.setMembers(memberOf(1), memberOf(2, "h2:2"), memberOf(4, "h4:4"));
  bench.peers.refresh();
  assert.deepEqual(bench.dialled(), ["2 n2 h2 2", "4 n4 h4 4"]);
});

const ADDRESSES: [address: string, dialled: string | null][] = [
  ["host:80", "host 80"],
  ["10.0.0.1:80", "10.0.0.1 80"],
  ["[::1]:80", "::1 80"],
  ["[fe80::1]:65535", "fe80::1 65535"],
  ["", null],
  ["host", null],
  [":80", null],
  ["host:", null],
  ["host:0", null],
  ["host:-1", null],
  ["host:1.5", null],
  ["host:x", null],
];

for (const [address, dialled] of ADDRESSES) {
  Deno.test(`Peers dials "${address}" as ${dialled}`, () => {
    const bench = Bench.of(1);
    bench.setMembers(memberOf(1), memberOf(2, address));
    bench.peers.refresh();
    const expected = dialled === null ? [] : [`2 n2 ${dialled}`];
    assert.deepEqual(bench.dialled(), expected);
  });
}

Deno.test("Peers.vet() learns where a proven member is, and dials it there", () => {
  const bench = Bench.of(1, 2);
  assert.equal(bench.claim(2, "h2:2"), null);
  assert.equal(bench.links.dials, 1, "as the list has it");
  assert.equal(bench.claim(2, "moved:2"), null);
  assert.deepEqual(bench.dialled(), ["2 n2 moved 2"]);
  bench.claim(2, "moved:2");
  assert.equal(bench.links.dials, 2);
  bench.claim(2, "nowhere");
  assert.deepEqual(bench.dialled(), ["2 n2 moved 2"]);
});

Deno.test("Peers.vet() follows a member that moved back to where the list has it", () => {
  const bench = Bench.of(1, 2);
  bench.claim(2, "moved:2");
  bench.claim(2, "h2:2");
  assert.deepEqual(bench.dialled(), ["2 n2 h2 2"]);
});

Deno.test("Peers.vet() learns of members newer than the list, until it passes them", () => {
  const bench = Bench.of(1, 2);
  assert.equal(bench.claim(101, "new:1"), null);
  assert.deepEqual(bench.dialled(), ["2 n2 h2 2", "101 n101 new 1"]);
  assert.equal(bench.peers.nameOf(101), "n101");
  bench.applied = 101;
  bench.setMembers(memberOf(1), memberOf(2, "h2:2"), memberOf(101, "new:1"));
  bench.peers.refresh();
  assert.deepEqual(bench.dialled(), ["2 n2 h2 2", "101 n101 new 1"]);
  bench.setMembers(memberOf(1), memberOf(2, "h2:2"));
  bench.peers.refresh();
  assert.deepEqual(bench.dialled(), ["2 n2 h2 2"], "it was removed");
  assert.equal(bench.peers.nameOf(101), "");
});

Deno.test("Peers.vet() learns nothing of one it refuses", () => {
  const bench = Bench.of(1, 2);
  assert.equal(bench.claim(50, "gone:1"), "removed-member");
  assert.deepEqual(bench.dialled(), ["2 n2 h2 2"]);
});

Deno.test("Peers.identity() says the cluster as soon as it is known", () => {
  assert.equal(new Bench().peers.identity().clusterId, null);
  assert.deepEqual(new Bench([], true).peers.identity().clusterId, CLUSTER);
  assert.deepEqual(Bench.of(1).peers.identity(), {
    clusterId: CLUSTER,
    name: "n1",
    id: 1,
    address: "h1:1",
    diskId: DISK,
    protocolVersion: PROTOCOL_VERSION,
    foundingDigest: FOUNDING,
    epochs: [],
  });
});

Deno.test("Peers.stateOf() forgets what a silent or removed member told", () => {
  const bench = Bench.of(1, 2, 3);
  const { peers } = bench;
  assert.equal(peers.stateOf(2), null);
  bench.nowMs = 1_000;
  peers.onPacket(2, encodePacket(STATE));
  peers.onPacket(3, encodePacket(STATE));
  assert.deepEqual(bench.told, [], "its own business");
  bench.nowMs = 4_000;
  assert.deepEqual(peers.stateOf(2), STATE);
  bench.nowMs = 4_001;
  assert.equal(peers.stateOf(2), null);
  bench.nowMs = 4_000;
  bench.setMembers(memberOf(1), memberOf(3, "h3:3"));
  peers.refresh();
  assert.equal(peers.stateOf(2), null);
  assert.deepEqual(peers.stateOf(3), STATE);
});

Deno.test("Peers.isUp() wants a word and an open ear", () => {
  const bench = Bench.of(1, 2);
  const { peers, links } = bench;
  peers.onPacket(2, encodePacket(STATE));
  assert.equal(peers.isUp(2), false, "no link");
  links.up = [link(2, { hears: false })];
  assert.equal(peers.isUp(2), false);
  links.up = [link(2, { isUp: false })];
  assert.equal(peers.isUp(2), true);
  bench.nowMs = 3_001;
  assert.equal(peers.isUp(2), false);
});

Deno.test("Peers.hearsAll() wants links both ways with every other one", () => {
  const { peers, links } = Bench.of(1, 2, 3);
  assert.equal(peers.hearsAll([1]), true);
  assert.equal(peers.hearsAll([1, 2, 3]), false);
  links.up = [link(2), link(3)];
  assert.equal(peers.hearsAll([1, 2, 3]), true);
  assert.equal(peers.hearsAll([1, 2, 3, 4]), false);
  links.up = [link(2), link(3, { hears: false })];
  assert.equal(peers.hearsAll([1, 2, 3]), false);
  assert.equal(peers.hearsAll([1, 2]), true);
  links.up = [link(2), link(3, { isUp: false })];
  assert.equal(peers.hearsAll([1, 2, 3]), false);
});

Deno.test("Peers.tell() tells those it has a link to", () => {
  const { peers, links } = Bench.of(1, 2, 3);
  links.up = [link(2), link(3, { isUp: false })];
  peers.tell(STATE);
  assert.deepEqual(links.packets, [[2, encodePacket(STATE)]]);
});

Deno.test("Peers passes on what is for the node, and drops noise", () => {
  const bench = Bench.of(1, 2);
  const { peers } = bench;
  peers.onPacket(2, Uint8Array.of(9, 9));
  peers.onPacket(2, new Uint8Array(0));
  const place = { boot: 1, term: 1, sequence: 1 };
  const packet = encodePacket({ kind: "verdict", ...place, verdict: "gap" });
  peers.onPacket(2, present(packet, "a packet"));
  peers.onLinkUp(2);
  peers.onLinkDown(2);
  assert.deepEqual(bench.told, ["verdict 2", "up 2", "down 2"]);
});

Deno.test("Peers.onRefused() tells only what ends this node", () => {
  const bench = Bench.of(1, 2);
  for (
    const refusal of [
      "wrong-cluster",
      "wrong-founding",
      "wrong-version",
      "wrong-token",
      "wrong-name",
      "unknown-member",
      "malformed",
    ] as const
  ) bench.peers.onRefused(2, refusal);
  assert.deepEqual(bench.told, []);
  bench.peers.onRefused(2, "removed-member");
  bench.peers.onRefused(2, "wrong-disk");
  assert.deepEqual(bench.told, ["removed-member", "wrong-disk"]);
});

Deno.test("Peers.identity() says the epochs of each key, by key", () => {
  const bench = Bench.of(1, 2);
  bench.epochs = new Map([[9, 2], [3, 7]]);
  assert.deepEqual(bench.peers.identity().epochs, [
    { keyId: 3, epoch: 7 },
    { keyId: 9, epoch: 2 },
  ]);
});

Deno.test("Peers.onRefused() tells of a rollback once no older hello is about", () => {
  const bench = Bench.of(1, 2);
  bench.epochs = new Map([[9, 1]]);
  bench.nowMs = 1_000;
  bench.peers.identity();
  bench.epochs = new Map([[9, 2]]);
  bench.peers.onRefused(2, "epoch-rollback");
  bench.peers.identity();
  bench.nowMs = 6_999;
  bench.peers.identity();
  bench.peers.onRefused(2, "epoch-rollback");
  assert.deepEqual(bench.told, [], "it may be about epoch 1");
  bench.nowMs = 7_000;
  bench.peers.onRefused(2, "epoch-rollback");
  assert.deepEqual(bench.told, ["epoch-rollback"]);
});

Deno.test("Peers.onRefused() tells of a rollback at once where epochs stood", () => {
  const bench = Bench.of(1, 2);
  bench.epochs = new Map([[9, 1]]);
  bench.peers.identity();
  bench.peers.onRefused(2, "epoch-rollback");
  assert.deepEqual(bench.told, ["epoch-rollback"]);
});

Deno.test("Peers.close() closes its links, if it has any", async () => {
  await new Bench().peers.close();
  const bench = Bench.of(1);
  await bench.peers.close();
  assert.ok(bench.links.isClosed);
});
