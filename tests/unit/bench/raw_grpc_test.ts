import assert from "node:assert/strict";
import { type Bytes, utf8 } from "../../../src/base/bytes.ts";
import {
  encodeFrame,
  FLAG,
  FRAME,
  FrameCutter,
  type Http2Frame,
} from "../../../src/bench/http2_frame.ts";
import { RawGrpc } from "../../../src/bench/raw_grpc.ts";
import type { NetConnection } from "../../../src/io/net.ts";

const PREFACE_BYTES = 24;

/** The other end of a connection: what it was sent, and what it answers. */
class FakeServer {
  readonly frames: Http2Frame[] = [];
  readonly #cutter = new FrameCutter();
  #preface = PREFACE_BYTES;
  #toClient: (Bytes | null)[] = [];
  #wake = Promise.withResolvers<void>();

  readonly connection: NetConnection = {
    remote: { hostname: "127.0.0.1", port: 1 },
    read: async () => {
      while (this.#toClient.length === 0) await this.#wake.promise;
      return this.#toClient.shift()!;
    },
    write: (bytes) => {
      const frames = bytes.slice(this.#preface);
      this.#preface = 0;
      this.frames.push(...this.#cutter.push(frames));
      return Promise.resolve();
    },
    close: () => this.answer(null),
  };

  answer(bytes: Bytes | null): void {
    this.#toClient.push(bytes);
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  reply(stream: number, message: string): void {
    const head = new Uint8Array([0, 0, 0, 0, message.length]);
    const payload = new Uint8Array([...head, ...utf8(message)]);
    const none = new Uint8Array(0);
    this.answer(
      encodeFrame({
        type: FRAME.headers,
        flags: FLAG.endHeaders,
        stream,
        payload: none,
      }),
    );
    this.answer(encodeFrame({ type: FRAME.data, flags: 0, stream, payload }));
    this.answer(encodeFrame({
      type: FRAME.headers,
      flags: FLAG.endHeaders | FLAG.endStream,
      stream,
      payload: none,
    }));
  }

  of(type: number): Http2Frame[] {
    return this.frames.filter((frame) => frame.type === type);
  }
}

async function connected(): Promise<{ server: FakeServer; grpc: RawGrpc }> {
  const server = new FakeServer();
  const grpc = await RawGrpc.connect({
    net: { connect: () => Promise.resolve(server.connection) },
    ...{ hostname: "127.0.0.1", port: 1, path: "/a.B/C" },
  });
  return { server, grpc };
}

/** Lets what is ready run. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
}

Deno.test("RawGrpc.call() matches answers to calls by stream", async () => {
  const { server, grpc } = await connected();
  const calls = [grpc.call(utf8("one")), grpc.call(utf8("two"))];
  server.reply(3, "2");
  server.reply(1, "1");
  assert.deepEqual(await Promise.all(calls), [utf8("1"), utf8("2")]);
  const [first, second] = server.of(FRAME.data);
  assert.deepEqual([first?.stream, second?.stream], [1, 3]);
  assert.equal(
    new TextDecoder().decode(first?.payload),
    "\0\0\0\0\u0003one",
  );
  grpc.close();
});

Deno.test("RawGrpc.call() names its headers once, then points at them", async () => {
  const { server, grpc } = await connected();
  const calls = [grpc.call(utf8("one")), grpc.call(utf8("two"))];
  await settle();
  const [first, second] = server.of(FRAME.headers);
  assert.match(new TextDecoder().decode(first?.payload), /\/a\.B\/C/);
  assert.deepEqual([...second!.payload], [0x83, 0x86, 193, 192, 191, 190]);
  grpc.close();
  await Promise.allSettled(calls);
});

Deno.test("RawGrpc.call() rejects a call that ends without a message", async () => {
  const { server, grpc } = await connected();
  const call = grpc.call(utf8("one"));
  server.answer(encodeFrame({
    type: FRAME.headers,
    flags: FLAG.endHeaders | FLAG.endStream,
    stream: 1,
    payload: new Uint8Array(0),
  }));
  await assert.rejects(call, /refused by the server/);
  grpc.close();
});

Deno.test("RawGrpc.call() rejects all calls when the connection ends", async () => {
  const { server, grpc } = await connected();
  const call = grpc.call(utf8("one"));
  server.answer(null);
  await assert.rejects(call, /closed by the server/);
  await assert.rejects(grpc.call(utf8("two")), /closed by the server/);
});

Deno.test("RawGrpc echoes pings and acknowledges settings", async () => {
  const { server, grpc } = await connected();
  const payload = utf8("12345678");
  server.answer(
    encodeFrame({ type: FRAME.ping, flags: 0, stream: 0, payload }),
  );
  server.answer(encodeFrame({
    type: FRAME.settings,
    flags: 0,
    stream: 0,
    payload: new Uint8Array(6),
  }));
  await settle();
  const [ping] = server.of(FRAME.ping);
  assert.deepEqual([ping?.flags, ping?.payload], [FLAG.ack, payload]);
  assert.equal(server.of(FRAME.settings)[1]?.flags, FLAG.ack);
  grpc.close();
});

Deno.test("RawGrpc.call() waits for the window of the connection", async () => {
  const { server, grpc } = await connected();
  const sizes = () =>
    server.of(FRAME.data).reduce((sum, { payload }) => sum + payload.length, 0);
  const calls = [
    grpc.call(new Uint8Array(65_530)),
    grpc.call(new Uint8Array(95)),
  ];
  await settle();
  assert.equal(sizes(), 65_535);
  const payload = new Uint8Array([0, 0, 0, 100]);
  server.answer(
    encodeFrame({ type: FRAME.windowUpdate, flags: 0, stream: 0, payload }),
  );
  await settle();
  assert.equal(sizes(), 65_635);
  grpc.close();
  await Promise.allSettled(calls);
});
