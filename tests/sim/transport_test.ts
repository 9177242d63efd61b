/*
 * Goal: links notice what TCP does not tell, come back, and never repeat or
 * reorder; strangers cost little and get nowhere.
 * Method: two or three transports over SimNet, which is cut one way or both,
 * healed and reset; and connections that do what no dialler of ours does.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { type Bytes, concatBytes } from "../../src/base/bytes.ts";
import type { Net, NetConnection } from "../../src/io/net.ts";
import { draftMessage, type Message, MSG_APP } from "../../src/raft/message.ts";
import { encodeFrame, FRAME_HELLO } from "../../src/transport/frame.ts";
import { encodeHello } from "../../src/transport/hello.ts";
import {
  HELLO_MS_MAX,
  KEEPALIVE_MS,
  LINK_QUEUE_BYTES_MAX,
  REDIAL_MS_MIN,
  SILENT_INTERVALS_MAX,
  UNPROVEN_PER_HOST_MAX,
} from "../../src/transport/limits.ts";
import { beat, ended } from "../contract/transport_contract.ts";
import {
  identityOf,
  introduce,
  linkOf,
  Member,
  pass,
  simProver,
  type TransportWorld,
  untilWithin,
  withMembers,
} from "../contract/transport_member.ts";
import { SimClock } from "./io/clock.ts";
import { SimNet } from "./io/net.ts";
import { SimRandom } from "./io/random.ts";

const WINDOW_BYTES = 256 * 1024;
const NOTICE_MS_MAX = (SILENT_INTERVALS_MAX + 2) * KEEPALIVE_MS;

interface SimWorld extends TransportWorld {
  readonly sim: SimNet;
  readonly clock: SimClock;
}

function world(seed = 1): SimWorld {
  const clock = new SimClock();
  const delays = new SimRandom(seed).split("delay");
  const sim = new SimNet(clock, () => 1 + delays.below(5), WINDOW_BYTES);
  const randoms = new SimRandom(seed);
  return {
    sim,
    clock,
    net: (id) => sim.host(`host${id}`),
    hostname: (id) => `host${id}`,
    random: (id) => randoms.split(`n${id}`),
    prover: simProver,
    until: (work) => untilWithin(clock, work),
  };
}

function bulk(bytes: number, index = 1): Message {
  const message = draftMessage(MSG_APP, 2);
  message.from = 1;
  message.term = 1;
  message.commit = index;
  message.entries = [{ type: 0, term: 1, index, data: new Uint8Array(bytes) }];
  return message;
}

const CUTS: [name: string, ways: [string, string][]][] = [
  ["both ways", [["host1", "host2"], ["host2", "host1"]]],
  ["towards the peer", [["host1", "host2"]]],
  ["back from the peer", [["host2", "host1"]]],
];

for (const [name, ways] of CUTS) {
  Deno.test(`Link notices a cut ${name}, and comes back`, async () => {
    const here = world();
    await withMembers(here, 2, async (a, b) => {
      const { sim, clock } = here;
      await pass(clock, 5_000);
      const cutAtMs = clock.monotonicMs();
      for (const [from, to] of ways) sim.cut(from, to);
      // More than the network takes: the last one waits in the queue.
      a.transport.send([bulk(2_000_000), beat(1, 2, 1)]);
      await a.hears("down 2");
      await b.hears("down 1");
      ok(clock.monotonicMs() - cutAtMs <= 2 * NOTICE_MS_MAX);
      a.transport.send([beat(1, 2, 1)]);
      await pass(clock, 20_000);
      equal(linkOf(a, 2).isUp, false);
      deepEqual([a.count("down 2"), a.count("up 2")], [1, 1]);
      deepEqual([linkOf(a, 2).hears, linkOf(b, 1).hears], [false, false]);
      for (const [from, to] of ways) sim.heal(from, to);
      const healedAtMs = clock.monotonicMs();
      await a.hears("up 2", 2);
      await b.hears("up 1", 2);
      ok(clock.monotonicMs() - healedAtMs <= 6_000);
      a.transport.send([beat(1, 2, 2)]);
      await b.hears("message 1 2");
      const early = name === "back from the peer" ? 2 : 0;
      equal(b.count("message 1 1"), early, "nothing of before a link is sent");
    });
  });
}

Deno.test("Link stays up while nothing is sent, and while much is", async () => {
  const here = world();
  await withMembers(here, 2, async (a, b) => {
    await pass(here.clock, 60_000);
    for (let i = 0; i < 100; i += 1) {
      a.transport.send([bulk(200_000, i)]);
      await pass(here.clock, 40);
    }
    await b.hears("message 1 99");
    deepEqual([a.told.length, b.told.length], [1, 101]);
    const { bytesSent } = a.transport.counters;
    ok(bytesSent < 100 * 200_000 + 50_000);
  });
});

Deno.test("a crash is noticed at once", async () => {
  const here = world();
  await withMembers(here, 3, async (a, b, c) => {
    const atMs = here.clock.monotonicMs();
    here.sim.reset("host2");
    await a.hears("down 2");
    await c.hears("down 2");
    equal(here.clock.monotonicMs(), atMs);
    const { port } = b.transport.address;
    await b.transport.close();
    await b.open(undefined, port);
    introduce(b, [a, c]);
    await a.hears("up 2", 2);
    await b.hears("up 1", 2);
    equal(a.count("down 3"), 0);
  });
});

Deno.test("a peer that dials again is dialled at once", async () => {
  const here = world();
  await withMembers(here, 2, async (a, b) => {
    const { port } = b.transport.address;
    // Long enough for the waits between dials to grow to their limit.
    for (let awayMs = 30_000; awayMs < 31_000; awayMs += 100) {
      await b.transport.close();
      await pass(here.clock, awayMs);
      await b.open(undefined, port);
      introduce(b, [a]);
      const [heard, up] = [b.count("up 1"), a.count("up 2")];
      await b.hears("up 1", heard + 1);
      const atMs = here.clock.monotonicMs();
      await a.hears("up 2", up + 1);
      ok(here.clock.monotonicMs() - atMs <= REDIAL_MS_MIN);
    }
  });
});

Deno.test("a full queue drops, tells once, and keeps room for heartbeats", async () => {
  const here = world();
  await withMembers(here, 2, async (a, b) => {
    here.sim.cut("host1", "host2");
    const count = Math.floor(2 * LINK_QUEUE_BYTES_MAX / 1_000_000);
    for (let i = 1; i <= count; i += 1) {
      a.transport.send([bulk(1_000_000, i)]);
      equal(a.count("down 2"), 0, "the node is not called amid its own call");
    }
    a.transport.send([beat(1, 2, 1_000)]);
    await a.hears("down 2");
    const dropped = a.transport.counters.messagesDropped;
    ok(dropped >= count / 2 - 2 && dropped <= count / 2 + 2);
    ok(linkOf(a, 2).queuedBytes <= LINK_QUEUE_BYTES_MAX);
    ok(linkOf(a, 2).isUp);
    here.sim.heal("host1", "host2");
    await b.hears("message 1 1000");
    await a.hears("up 2", 2);
    deepEqual([a.count("down 2"), a.count("up 2")], [1, 2]);
    const heard = b.messages.map(({ commit }) => commit);
    deepEqual(heard, [...heard].sort((x, y) => x - y));
    equal(heard.length, count + 1 - dropped);
    a.transport.send([beat(1, 2, 1_001)]);
    await b.hears("message 1 1001");
  });
});

/** Connects to `member` as a stranger. */
function knock(member: Member, net: Net): Promise<NetConnection> {
  return net.connect(member.transport.address);
}

Deno.test("a hello that comes too slowly is cut off", async () => {
  const here = world();
  await withMembers(here, 2, async (_, b) => {
    const hello = encodeFrame(FRAME_HELLO, helloOf(3));
    const connection = await knock(b, here.sim.host("slow"));
    const atMs = here.clock.monotonicMs();
    const dripping = (async () => {
      for (const byte of hello) {
        await connection.write(Uint8Array.of(byte));
        await pass(here.clock, 100);
      }
    })().catch(() => {});
    await ended(connection);
    ok(here.clock.monotonicMs() - atMs <= HELLO_MS_MAX + 20);
    equal(b.log.named("peer_garbage").length, 1);
    connection.close();
    await dripping;
  });
});

Deno.test("strangers do not use up what peers need", async () => {
  const here = world();
  await withMembers(here, 2, async (a, b) => {
    const net = here.sim.host("stranger");
    const held: NetConnection[] = [];
    for (let i = 0; i < 3 * UNPROVEN_PER_HOST_MAX; i += 1) {
      held.push(await knock(b, net));
    }
    await pass(here.clock, 20);
    const ends = held.map((connection) => {
      const end = { isOver: false };
      ended(connection).then(() => end.isOver = true);
      return end;
    });
    await pass(here.clock, 20);
    const open = ends.filter(({ isOver }) => !isOver).length;
    equal(open, UNPROVEN_PER_HOST_MAX);
    equal(b.log.named("peer_crowd").length, 1);
    // A peer elsewhere gets in beside them.
    const c = new Member(here, 3);
    await c.open();
    introduce(c, [a, b]);
    await c.hears("up 2");
    await c.transport.close();
    for (const connection of held) connection.close();
  });
});

Deno.test("a stranger that redials for minutes writes few lines", async () => {
  const here = world();
  await here.until((async () => {
    const [a, b] = [new Member(here, 1), new Member(here, 2)];
    await a.open("a wrong token, again");
    await b.open();
    introduce(a, [b]);
    await pass(here.clock, 300_000);
    for (const member of [a, b]) {
      const refusals = member.log.named("peer_refused").length;
      ok(refusals >= 9 && refusals <= 11, `${refusals}`);
      ok(member.log.events.length <= 11);
      ok(member.transport.counters.refusals > 125);
    }
    await a.transport.close();
    await b.transport.close();
  })());
});

function helloOf(id: number): Bytes {
  return encodeHello({
    purpose: "messages",
    challenge: new Uint8Array(32),
    identity: identityOf(id),
    target: { id: 2, name: "n2" },
  });
}

/** A network that writes down what its host sends on each connection. */
function recorded(net: Net, sent: Bytes[][]): Net {
  return {
    listen: (options) => net.listen(options),
    connect: async (options) => {
      const connection = await net.connect(options);
      const bytes: Bytes[] = [];
      sent.push(bytes);
      return {
        remote: connection.remote,
        read: () => connection.read(),
        close: () => connection.close(),
        write: (chunk) => {
          bytes.push(concatBytes(chunk));
          return connection.write(chunk);
        },
      };
    },
  };
}

Deno.test("a recorded handshake does not work twice", async () => {
  const here = world();
  const sent: Bytes[][] = [];
  const net = (id: number) =>
    id === 1 ? recorded(here.net(id), sent) : here.net(id);
  await withMembers({ ...here, net }, 2, async (a, b) => {
    a.transport.send([beat(1, 2, 1)]);
    await b.hears("message 1 1");
    const [hello, proof, batch] = sent[0]!;
    const thief = await knock(b, here.sim.host("thief"));
    await thief.write(hello!);
    ok((await thief.read())!.length > 100, "the challenge");
    await thief.write(proof!);
    await thief.write(batch!);
    equal(await ended(thief), 10, "a refusal without a proof");
    equal(b.log.named("peer_refused")[0]?.fields.reason, "wrong-token");
    thief.close();
    // All at once is no better: nothing may come ahead of an answer.
    const hasty = await knock(b, here.sim.host("thief"));
    await hasty.write(concatBytes(hello!, proof!, batch!));
    equal(await ended(hasty), 0);
    hasty.close();
    equal(b.count("message 1 1"), 1);
    ok(linkOf(b, 1).hears, "the true peer stays");
  });
});

Deno.test("an acceptor without the token learns nothing and is not believed", async () => {
  const here = world();
  await here.until((async () => {
    const [a, b] = [new Member(here, 1), new Member(here, 2)];
    await a.open();
    await b.open("not the token of n1");
    b.judge = () => "removed-member";
    introduce(a, [b]);
    await a.writes("peer_refused");
    equal(a.log.events.at(-1)?.fields.reason, "wrong-token");
    deepEqual(a.told, []);
    await a.transport.close();
    await b.transport.close();
  })());
});

Deno.test("a refusal that nobody proves is not told to the node", async () => {
  const here = world();
  await here.until((async () => {
    const a = new Member(here, 1);
    await a.open();
    const liar = await here.sim.host("liar").listen({
      hostname: "liar",
      port: 0,
    });
    const lying = (async () => {
      for (;;) {
        const connection = await liar.accept();
        if (connection === null) return;
        await connection.read();
        // Removed, with 32 bytes in place of a proof.
        const body = new Uint8Array(33).fill(7);
        await connection.write(encodeFrame(5, body));
        await pass(here.clock, 10);
        connection.close();
      }
    })();
    a.transport.setPeers([{ id: 2, name: "n2", ...liar.address }]);
    await a.writes("peer_refused_us");
    equal(linkOf(a, 2).lastRefusal, "unknown-member");
    await pass(here.clock, 10_000);
    deepEqual(a.told, []);
    liar.close();
    await a.transport.close();
    await lying;
  })());
});

Deno.test("a refusal put in place of the acceptor's word is not told", async () => {
  const here = world();
  await withMembers(here, 2, async (a, b) => {
    const net = here.sim.host("between");
    const relay = await net.listen({ hostname: "between", port: 0 });
    const relaying = (async () => {
      for (;;) {
        const left = await relay.accept();
        if (left === null) return;
        const right = await knock(b, net);
        await right.write((await left.read())!);
        await left.write((await right.read())!);
        await left.read();
        await left.write(encodeFrame(5, new Uint8Array(33).fill(7)));
        await pass(here.clock, 10);
        left.close();
        right.close();
      }
    })();
    a.transport.setPeers([{ ...b.address, ...relay.address }]);
    await a.writes("peer_refused_us");
    equal(a.log.named("peer_refused_us")[0]?.fields.isProven, false);
    deepEqual(a.told, ["up 2", "down 2"]);
    relay.close();
    await a.transport.close();
    await relaying;
  });
});

/** Random cuts, heals and crashes; returns all that was told and written. */
async function runFaults(seed: number): Promise<string[]> {
  const here = world(seed);
  const dice = new SimRandom(seed).split("faults");
  const trace: string[] = [];
  await withMembers(here, 3, async (...members) => {
    for (const member of members) {
      member.onTold = () => trace.push(`${member.id}: ${member.told.at(-1)}`);
    }
    let sent = 0;
    for (let step = 0; step < 60; step += 1) {
      const from = dice.pick(members);
      const to = dice.pick(members.filter((member) => member !== from));
      const [x, y] = [`host${from.id}`, `host${to.id}`];
      if (dice.chance(1, 20)) here.sim.cut(x, y);
      if (dice.chance(1, 10)) here.sim.heal(x, y);
      if (dice.chance(1, 40)) await crash(from, members);
      for (let i = dice.below(5); i > 0; i -= 1) {
        sent += 1;
        from.transport.send([beat(from.id, to.id, sent)]);
      }
      await pass(here.clock, dice.below(500));
    }
    for (const from of members) {
      for (const to of members) here.sim.heal(`host${from.id}`, `host${to.id}`);
    }
    await pass(here.clock, 10_000);
    for (const member of members) {
      for (const { isUp, hears } of member.transport.links()) {
        ok(isUp && hears, `seed ${seed}: all is well in the end`);
      }
      checkTold(member, seed);
    }
  });
  return trace;

  async function crash(member: Member, members: readonly Member[]) {
    here.sim.reset(`host${member.id}`);
    const { port } = member.transport.address;
    await member.transport.close();
    await member.open(undefined, port);
    member.told.push("restart");
    introduce(member, members);
  }
}

/** Messages ascend; a loss is told once per link that was up. */
function checkTold(member: Member, seed: number): void {
  const last = new Map<string, number>();
  const lost = new Map<string, boolean>();
  for (const line of member.told) {
    const [what, peer = "", commit = ""] = line.split(" ");
    if (what === "restart") lost.clear();
    if (what === "message") {
      ok(Number(commit) > (last.get(peer) ?? 0), `seed ${seed}: ${line}`);
      last.set(peer, Number(commit));
    }
    if (what !== "up" && what !== "down") continue;
    if (what === "down") ok(lost.get(peer) !== true, `seed ${seed}: ${line}`);
    lost.set(peer, what === "down");
  }
}

Deno.test("links survive random faults, the same way for one seed", async () => {
  for (let seed = 1; seed <= 3; seed += 1) {
    const trace = await runFaults(seed);
    ok(trace.length > 30);
    if (seed === 1) deepEqual(await runFaults(seed), trace);
  }
});
