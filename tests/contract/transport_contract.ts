import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { type Bytes, equalBytes, utf8 } from "../../src/base/bytes.ts";
import type { NetConnection } from "../../src/io/net.ts";
import { ConnectionLostError } from "../../src/io/errors.ts";
import {
  draftMessage,
  type Message,
  MSG_APP,
  MSG_HEARTBEAT,
  MSG_HEARTBEAT_RESP,
  MSG_PROP,
  MSG_SNAP,
} from "../../src/raft/message.ts";
import type { RaftId } from "../../src/raft/types.ts";
import {
  PeerRefusedError,
  PeerUnreachableError,
} from "../../src/transport/errors.ts";
import { STREAM_FRAME_BYTES_MAX } from "../../src/transport/limits.ts";
import type { PeerRefusal, PeerStream } from "../../src/transport/port.ts";
import {
  introduce,
  linkOf,
  Member,
  pass,
  type TransportWorld,
  withMembers,
} from "./transport_member.ts";

/** A heartbeat that is known by its commit. */
export function beat(from: RaftId, to: RaftId, commit: number): Message {
  const message = draftMessage(MSG_HEARTBEAT, to);
  message.from = from;
  message.term = 1;
  message.commit = commit;
  return message;
}

/** What every `Transport` does, whatever the network. */
export function runTransportContract(
  name: string,
  make: () => TransportWorld,
): void {
  const test = (
    claim: string,
    count: number,
    body: (...members: Member[]) => Promise<void>,
  ) => Deno.test(`${name}: ${claim}`, () => withMembers(make(), count, body));

  test("messages arrive whole and in order, both ways", 3, async (...all) => {
    for (const member of all) {
      for (let i = 0; i < 300; i += 1) {
        member.transport.send(
          all.filter((other) => other !== member)
            .map(({ id }) => beat(member.id, id, i)),
        );
      }
    }
    for (const member of all) {
      for (const other of all) {
        if (other === member) continue;
        await member.hears(`message ${other.id} 299`);
        const heard = member.messages.filter(({ from }) => from === other.id);
        deepEqual(heard.map(({ commit }) => commit), [...Array(300).keys()]);
      }
    }
  });

  test("entries and packets keep their bytes and place", 2, async (a, b) => {
    const data = Uint8Array.from({ length: 3_000_000 }, (_, i) => i * 7);
    const message = draftMessage(MSG_APP, 2);
    message.from = 1;
    message.term = 3;
    message.index = 8;
    message.entries = [
      { type: 0, term: 3, index: 9, data: data.subarray(1) },
      { type: 2, term: 3, index: 10, data: utf8("change") },
    ];
    a.transport.send([beat(1, 2, 1)]);
    ok(a.transport.sendPacket(2, utf8("between")));
    a.transport.send([message, beat(1, 2, 2)]);
    await b.hears("message 1 2");
    deepEqual(b.told.filter((line) => !line.startsWith("up")), [
      "message 1 1",
      "packet 1 7",
      "message 1 0",
      "message 1 2",
    ]);
    const [entry, change] = b.messages[1]!.entries;
    ok(equalBytes(entry!.data, data.subarray(1)));
    deepEqual(change, message.entries[1]);
    deepEqual(b.packets, [utf8("between")]);
    deepEqual(b.messages[1], message);
  });

  test(
    "a message that was passed on names its first sender",
    3,
    async (a, b) => {
      const proposal = draftMessage(MSG_PROP, 2);
      proposal.from = 3;
      proposal.entries = [{ type: 0, term: 0, index: 0, data: utf8("p") }];
      a.transport.send([proposal]);
      await b.hears("message 1 0");
      equal(b.messages[0]?.from, 3);
    },
  );

  test("a message in another member's name ends it", 3, async (a, b) => {
    const forged = draftMessage(MSG_HEARTBEAT_RESP, 2);
    forged.from = 3;
    forged.term = 1;
    a.transport.send([beat(1, 2, 1), forged, beat(1, 2, 2)]);
    await b.writes("peer_frame_invalid");
    await a.hears("down 2");
    await a.hears("up 2", 2);
    deepEqual(b.messages.map(({ commit }) => commit), [1]);
  });

  test("a checkpoint is skipped: it has its own way", 2, async (a, b) => {
    const snap = draftMessage(MSG_SNAP, 2);
    snap.from = 1;
    a.transport.send([snap, beat(1, 2, 1)]);
    await b.hears("message 1 1");
    equal(b.messages.length, 1);
    equal(a.transport.counters.messagesDropped, 0);
  });

  test("links() and counters say what is so", 2, async (a, b) => {
    a.transport.send([beat(1, 2, 1)]);
    await b.hears("message 1 1");
    deepEqual(linkOf(a, 2), {
      id: 2,
      name: "n2",
      isUp: true,
      hears: true,
      queuedBytes: 0,
      lastRefusal: null,
    });
    const { messagesSent, connects, refusals, bytesSent } =
      a.transport.counters;
    deepEqual([messagesSent, connects, refusals], [1, 1, 0]);
    ok(bytesSent > 200);
    equal(b.transport.counters.messagesReceived, 1);
    a.transport.setPeers([]);
    deepEqual(a.transport.links(), []);
  });

  test("what has no link is dropped and told once", 2, async (a) => {
    a.transport.send([beat(1, 9, 1), beat(1, 9, 2)]);
    await a.hears("down 9");
    a.transport.send([beat(1, 9, 3)]);
    equal(a.transport.sendPacket(9, utf8("x")), false);
    a.transport.setPeers([{
      id: 9,
      name: "n9",
      hostname: "127.9.9.9",
      port: 9,
    }]);
    a.transport.send([beat(1, 9, 4)]);
    await a.hears("down 9", 2);
    equal(a.transport.counters.messagesDropped, 4);
    equal(a.count("down 9"), 2);
  });

  test("a peer that moves is dialled at its new address", 2, async (a, b) => {
    const old = b.transport;
    const moved = new Member(b.world, 2);
    await moved.open();
    try {
      introduce(a, [moved]);
      await a.hears("up 2", 2);
      a.transport.send([beat(1, 2, 5)]);
      await moved.hears("message 1 5");
      equal(a.count("down 2"), 1);
      equal(old.counters.messagesReceived, 0);
    } finally {
      await moved.transport.close();
    }
  });

  test("a peer that restarts is found again", 2, async (a, b) => {
    const { port } = b.transport.address;
    await b.transport.close();
    await a.hears("down 2");
    await b.open(undefined, port);
    introduce(b, [a]);
    await a.hears("up 2", 2);
    await b.hears("up 1", 2);
    a.transport.send([beat(1, 2, 6)]);
    await b.hears("message 1 6");
  });

  test("close() lets what is queued leave", 2, async (a, b) => {
    for (let i = 0; i < 100; i += 1) a.transport.send([beat(1, 2, i)]);
    await a.transport.close();
    await b.hears("message 1 99");
    equal(a.count("down 2"), 0);
  });

  test("the newer connection of a peer takes over", 2, async (a, b) => {
    const twin = new Member(a.world, 1);
    await twin.open();
    try {
      introduce(twin, [b]);
      await twin.hears("up 2");
      twin.transport.send([beat(1, 2, 7)]);
      await b.hears("message 1 7");
      await a.hears("down 2");
    } finally {
      await twin.transport.close();
    }
  });

  streamTests(test);
  refusalTests(name, make);
}

type Test = (
  claim: string,
  count: number,
  body: (...members: Member[]) => Promise<void>,
) => void;

/** A stream from `a` to `b`, both its ends. */
export async function streamBetween(
  a: Member,
  b: Member,
): Promise<[PeerStream, PeerStream]> {
  const count = b.streams.length;
  const opened = await a.transport.openStream(b.id);
  await b.hears(`stream ${a.id}`, count + 1);
  return [opened, b.streams[count]!];
}

function streamTests(test: Test): void {
  test("a stream carries frames both ways to its end", 2, async (a, b) => {
    const [out, into] = await streamBetween(a, b);
    deepEqual([out.peer, into.peer], [2, 1]);
    const frames = [1, 1000, STREAM_FRAME_BYTES_MAX].map((length) =>
      Uint8Array.from({ length }, (_, i) => i * 13)
    );
    const writing = (async () => {
      for (const frame of frames) await out.write(frame);
    })();
    for (const frame of frames) ok(equalBytes((await into.read())!, frame));
    await writing;
    await into.write(utf8("got it"));
    deepEqual(await out.read(), utf8("got it"));
    await out.write(utf8("last"));
    out.close();
    deepEqual(await into.read(), utf8("last"));
    equal(await into.read(), null);
    equal(await into.read(), null);
    equal(await out.read(), null);
    into.close();
    await rejects(out.write(utf8("x")), ConnectionLostError);
  });

  test("a stream whose other side is gone is not whole", 2, async (a, b) => {
    const [out, into] = await streamBetween(a, b);
    await out.write(utf8("part"));
    deepEqual(await into.read(), utf8("part"));
    await a.transport.close();
    await rejects(into.read(), ConnectionLostError);
  });

  test("a reader that closes stops the writer", 2, async (a, b) => {
    const [out, into] = await streamBetween(a, b);
    into.close();
    const flood = async () => {
      for (;;) {
        await out.write(new Uint8Array(100_000));
        await pass(a.world.clock, 1);
      }
    };
    await rejects(flood(), ConnectionLostError);
  });

  test("messages go on beside a stream that nobody reads", 2, async (a, b) => {
    const [out] = await streamBetween(a, b);
    let written = 0;
    const flooding = (async () => {
      for (; written < 64; written += 1) {
        await out.write(new Uint8Array(STREAM_FRAME_BYTES_MAX));
      }
    })();
    const flooded = rejects(flooding, ConnectionLostError);
    a.transport.send([beat(1, 2, 8)]);
    await b.hears("message 1 8");
    await pass(a.world.clock, 200);
    ok(written < 64, "the reader holds the writer back");
    await b.transport.close();
    await flooded;
  });

  test("openStream() refuses who is no peer or away", 2, async (a, b) => {
    await rejects(a.transport.openStream(9), PeerUnreachableError);
    b.judge = () => "removed-member";
    await rejects(
      a.transport.openStream(2),
      (error) =>
        error instanceof PeerRefusedError && error.refusal === "removed-member",
    );
    await b.transport.close();
    await rejects(a.transport.openStream(2), PeerUnreachableError);
  });
}

/** Opens two members that `spoil` keeps apart, and lets 1 dial 2. */
function refusalTests(name: string, make: () => TransportWorld): void {
  const test = (
    claim: string,
    body: (a: Member, b: Member) => Promise<void>,
    token?: string,
  ) =>
    Deno.test(`${name}: ${claim}`, async () => {
      const world = make();
      await world.until((async () => {
        const [a, b] = [new Member(world, 1), new Member(world, 2)];
        await a.open(token);
        await b.open();
        try {
          await body(a, b);
        } finally {
          await a.transport.close();
          await b.transport.close();
        }
      })());
    });

  const apart = (
    reason: PeerRefusal,
    isProven: boolean,
    spoil: (a: Member, b: Member) => void,
    token?: string,
  ) =>
    test(`${reason} keeps a peer out, and both sides say so`, async (a, b) => {
      const { address } = b;
      spoil(a, b);
      a.transport.setPeers([address]);
      await b.writes("peer_refused");
      // The event first, then what the link knows.
      await a.holds(() =>
        linkOf(a, 2).lastRefusal !== null &&
        a.log.events.some(({ event }) =>
          event === "peer_refused_us" || event === "peer_refused"
        )
      );
      const event = b.log.named("peer_refused")[0]!;
      equal(event.fields.reason, reason);
      if (reason !== "wrong-version") equal(event.fields.peer, a.own.name);
      ok(typeof event.fields.remote === "string");
      const own = a.log.events.find(({ event }) =>
        event.startsWith("peer_ref")
      )!;
      equal(own.fields.reason, reason);
      equal(linkOf(a, 2).lastRefusal, reason);
      equal(a.count(`refused 2 ${reason}`) > 0, isProven);
      equal(a.count("up 2"), 0);
      deepEqual(b.told, []);
    }, token);

  apart("wrong-token", false, () => {}, "another token, as long");
  apart("wrong-version", false, (a) => {
    a.own = { ...a.own, protocolVersion: a.own.protocolVersion + 1 };
  });
  apart("wrong-name", false, (_, b) => {
    // As when the dialled address belongs to another member.
    b.own = { ...b.own, id: 3 };
  });
  apart("wrong-cluster", true, (a) => {
    a.own = { ...a.own, clusterId: new Uint8Array(16).fill(9) };
    a.judge = () => null;
  });
  for (
    const reason of [
      "wrong-disk",
      "removed-member",
      "unknown-member",
      "epoch-rollback",
    ] as const
  ) {
    apart(reason, true, (_, b) => b.judge = () => reason);
  }

  test("a dialler judges whom it reaches, and tells", async (a, b) => {
    a.judge = () => "wrong-disk";
    introduce(a, [b]);
    await b.hears("refused 1 wrong-disk");
    await a.writes("peer_refused");
    equal(b.log.named("peer_refused_us")[0]?.fields.reason, "wrong-disk");
    equal(a.count("up 2"), 0);
  });

  test(
    "a refused peer gets in once nothing speaks against it",
    async (a, b) => {
      b.judge = () => "unknown-member";
      introduce(a, [b]);
      await a.hears("refused 2 unknown-member");
      b.judge = () => null;
      await a.hears("up 2");
      equal(linkOf(a, 2).lastRefusal, null);
    },
  );

  test("setPeers() judges again who is connected", async (a, b) => {
    introduce(a, [b]);
    await a.hears("up 2");
    b.judge = () => "removed-member";
    b.transport.setPeers([]);
    await a.hears("refused 2 removed-member");
  });

  garbageTests(test);
}

function garbageTests(
  test: (
    claim: string,
    body: (a: Member, b: Member) => Promise<void>,
  ) => void,
): void {
  const cases: [name: string, bytes: Bytes][] = [
    ["a request of HTTP", utf8("GET / HTTP/1.1\r\nhost: n2\r\n\r\n")],
    ["a frame that is too long", Uint8Array.of(0, 0, 2, 1, 1, 0, 0, 0, 0)],
    ["a frame of another type", Uint8Array.of(0, 0, 0, 0, 7, 0, 0, 0, 0)],
  ];
  for (const [what, bytes] of cases) {
    test(`${what} is garbage: closed, one event`, async (a, b) => {
      for (let i = 0; i < 3; i += 1) {
        const tls = a.world.tls === undefined ? {} : { tls: a.world.tls.dial };
        const { address } = b.transport;
        const connection = await a.world.net(1).connect({ ...address, ...tls });
        await connection.write(bytes);
        equal(await ended(connection), 0);
        connection.close();
      }
      equal(b.log.named("peer_garbage").length, 1);
      deepEqual(b.told, []);
    });
  }
}

/** Bytes that still come before the other side ends a connection. */
export async function ended(connection: NetConnection): Promise<number> {
  let count = 0;
  try {
    for (;;) {
      const bytes = await connection.read();
      if (bytes === null) return count;
      count += bytes.length;
    }
  } catch (error) {
    if (!(error instanceof ConnectionLostError)) throw error;
    return count;
  }
}
