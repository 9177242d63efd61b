import assert from "node:assert/strict";
import { fromBinary } from "@bufbuild/protobuf";
import { utf8 } from "../../../src/base/bytes.ts";
import { encodeWatchRequest } from "../../../src/kvconnect/client_codec.ts";
import { ServiceNotReadyError } from "../../../src/kvconnect/errors.ts";
import {
  type WatchOutput,
  WatchOutputSchema,
} from "../../../src/kvconnect/gen/datapath_pb.ts";
import { Fixture, REMOTE } from "./fixture.ts";

const A = utf8("a");
const B = utf8("b");
const STREAMS_MAX = 150;

/** Reads frames one by one; `null` at the end. Keep-alives are "". */
class Frames {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  constructor(response: Response) {
    assert.equal(response.status, 200);
    assert.equal(
      response.headers.get("content-type"),
      "application/octet-stream",
    );
    this.#reader = response.body!.getReader();
  }

  async next(): Promise<WatchOutput | "keep-alive" | null> {
    const { done, value } = await this.#reader.read();
    if (done) return null;
    const length = new DataView(value.buffer, value.byteOffset)
      .getUint32(0, true);
    assert.equal(value.length, 4 + length, "one frame a chunk");
    if (length === 0) return "keep-alive";
    return fromBinary(WatchOutputSchema, value.subarray(4));
  }

  async message(): Promise<string[]> {
    const output = await this.next();
    if (output === null || output === "keep-alive") {
      throw new Error(`a message and not ${output}`);
    }
    assert.equal(output.status, 1);
    return output.keys.map(({ changed, entryIfChanged }) =>
      !changed
        ? "same"
        : entryIfChanged === undefined
        ? "none"
        : new TextDecoder().decode(entryIfChanged.value)
    );
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}

async function open(
  fixture: Fixture,
  keys: Uint8Array[],
  remote = REMOTE,
): Promise<Frames> {
  const body = encodeWatchRequest(keys);
  return new Frames(await fixture.call("watch", body, { remote }));
}

async function set(
  fixture: Fixture,
  key: Uint8Array,
  text: string | null,
  database = "",
): Promise<void> {
  const value = { data: utf8(text ?? ""), encoding: 3 } as const;
  await fixture.node.write({
    database,
    checks: [],
    changes: [
      text === null
        ? { kind: "delete", key }
        : { kind: "set", key, value, expireAtMs: 0 },
    ],
  });
}

/** Lets everything run that waits for nothing but promises. */
async function settle(): Promise<void> {
  for (let i = 0; i < 50; i += 1) await Promise.resolve();
}

Deno.test("watch tells all keys, at first and when one changed", async () => {
  const fixture = new Fixture();
  await set(fixture, A, "1");
  const frames = await open(fixture, [B, A, B]);
  assert.deepEqual(await frames.message(), ["none", "1", "none"]);
  await set(fixture, A, "2");
  assert.deepEqual(await frames.message(), ["none", "2", "none"]);
  await set(fixture, B, "3");
  assert.deepEqual(await frames.message(), ["3", "2", "3"]);
  await set(fixture, A, null);
  assert.deepEqual(await frames.message(), ["3", "none", "3"]);
  await frames.cancel();
});

Deno.test("watch tells an overwrite with the same value", async () => {
  const fixture = new Fixture();
  await set(fixture, A, "1");
  const frames = await open(fixture, [A]);
  assert.deepEqual(await frames.message(), ["1"]);
  await set(fixture, A, "1");
  assert.deepEqual(await frames.message(), ["1"]);
  await frames.cancel();
});

Deno.test("watch says nothing when nothing differs", async () => {
  const fixture = new Fixture();
  const frames = await open(fixture, [A]);
  assert.deepEqual(await frames.message(), ["none"]);
  fixture.node.notify("", new Set(["61"]));
  await set(fixture, A, null);
  await set(fixture, B, "other");
  await set(fixture, A, "elsewhere", "another");
  await settle();
  await set(fixture, A, "here");
  assert.deepEqual(await frames.message(), ["here"]);
  await frames.cancel();
});

Deno.test("watch of a suffixed key hears the final key", async () => {
  const fixture = new Fixture();
  await set(fixture, A, "1");
  // The next commit is number 2.
  const key = utf8("q\u000200000000000000020000\0");
  const frames = await open(fixture, [key, utf8("q")]);
  assert.deepEqual(await frames.message(), ["none", "none"]);
  await fixture.node.write({
    database: "",
    checks: [],
    changes: [{
      kind: "set-suffix",
      key: utf8("q"),
      value: { data: utf8("x"), encoding: 3 },
      expireAtMs: 0,
    }],
  });
  assert.deepEqual(await frames.message(), ["x", "none"]);
  await frames.cancel();
});

Deno.test("watch tells an expiry as no entry", async () => {
  const fixture = new Fixture();
  await set(fixture, A, "1");
  const frames = await open(fixture, [A]);
  await frames.message();
  fixture.node.expire("", A);
  assert.deepEqual(await frames.message(), ["none"]);
  await frames.cancel();
});

Deno.test("watch misses no change between registering and reading", async () => {
  const fixture = new Fixture();
  await set(fixture, A, "1");
  const held = Promise.withResolvers<void>();
  fixture.node.hold = held.promise;
  const opening = open(fixture, [A]);
  while (fixture.node.subscriptions === 0) await settleMacrotask();
  fixture.node.hold = null;
  await set(fixture, A, "2");
  held.resolve();
  const frames = await opening;
  assert.deepEqual(await frames.message(), ["2"]);
  await set(fixture, A, "3");
  assert.deepEqual(await frames.message(), ["3"]);
  await frames.cancel();
});

Deno.test("watch queues one frame for a slow reader, then the latest", async () => {
  const fixture = new Fixture();
  const frames = await open(fixture, [A]);
  // Nobody reads: the first message is queued and stays the only one.
  const reads = fixture.node.reads.length;
  for (let i = 0; i < 100; i += 1) {
    await set(fixture, A, String(i));
    await settle();
  }
  assert.equal(fixture.node.reads.length, reads);
  assert.deepEqual(await frames.message(), ["none"]);
  assert.deepEqual(await frames.message(), ["99"]);
  assert.equal(fixture.node.reads.length, reads + 1);
  await frames.cancel();
});

Deno.test("watch is kept alive every 5 s, but not for who does not read", async () => {
  const fixture = new Fixture();
  const frames = await open(fixture, [A]);
  fixture.clock.advance(5_000);
  assert.deepEqual(await frames.message(), ["none"]);
  await settle();
  const next = frames.next();
  fixture.clock.advance(4_999);
  fixture.clock.advance(1);
  assert.equal(await next, "keep-alive");
  const other = frames.next();
  await set(fixture, A, "1");
  assert.notEqual(await other, "keep-alive");
  await frames.cancel();
  assert.equal(fixture.clock.timers, 0);
});

Deno.test("watch unregisters when its reader goes away", async () => {
  const fixture = new Fixture();
  const frames = [await open(fixture, [A]), await open(fixture, [B])];
  assert.equal(fixture.node.subscriptions, 2);
  await frames[0]!.cancel();
  assert.equal(fixture.node.subscriptions, 1);
  await frames[1]!.cancel();
  assert.equal(fixture.node.subscriptions, 0);
  assert.equal(fixture.clock.timers, 0);
});

Deno.test("watches end cleanly when the node says so, and may come back", async () => {
  const fixture = new Fixture();
  const frames = await open(fixture, [A]);
  await frames.message();
  const next = frames.next();
  fixture.node.endWatches();
  assert.equal(await next, null);
  assert.equal(fixture.node.subscriptions, 0);
  const again = await open(fixture, [A]);
  await again.message();
  await again.cancel();
});

Deno.test("stop() ends watches after what is queued and refuses new ones", async () => {
  const fixture = new Fixture();
  const frames = await open(fixture, [A]);
  fixture.server.stop();
  assert.deepEqual(await frames.message(), ["none"]);
  assert.equal(await frames.next(), null);
  const response = await fixture.call("watch", encodeWatchRequest([A]));
  assert.equal(response.status, 503);
  assert.equal(fixture.clock.timers, 0);
});

Deno.test("stop() ends a watch that is being opened", async () => {
  const fixture = new Fixture();
  const held = Promise.withResolvers<void>();
  fixture.node.hold = held.promise;
  const opening = open(fixture, [A]);
  while (fixture.node.subscriptions === 0) await settleMacrotask();
  fixture.server.stop();
  held.resolve();
  const frames = await opening;
  await frames.message();
  assert.equal(await frames.next(), null);
});

Deno.test("watch answers what the node throws and leaves nothing open", async () => {
  const fixture = new Fixture();
  fixture.node.failure = new ServiceNotReadyError();
  const response = await fixture.call("watch", encodeWatchRequest([A]));
  assert.equal(response.status, 503);
  assert.equal(fixture.node.subscriptions, 0);
  assert.equal(fixture.clock.timers, 0);
});

Deno.test("watch ends cleanly when the node fails later", async () => {
  const fixture = new Fixture();
  const frames = await open(fixture, [A]);
  await frames.message();
  fixture.node.failure = new ServiceNotReadyError();
  fixture.node.notify("", new Set(["61"]));
  assert.equal(await frames.next(), null);
  assert.deepEqual(fixture.faults, []);
  fixture.node.failure = null;
  const broken = await open(fixture, [A]);
  await broken.message();
  const bug = new Error("a bug");
  fixture.node.failure = bug;
  fixture.node.notify("", new Set(["61"]));
  assert.equal(await broken.next(), null);
  assert.deepEqual(fixture.faults, [bug]);
  assert.equal(fixture.node.subscriptions, 0);
});

Deno.test("a connection gets 150 watches, another one its own", async () => {
  const fixture = new Fixture();
  const streams: Frames[] = [];
  for (let i = 0; i < STREAMS_MAX; i += 1) {
    streams.push(await open(fixture, [A]));
  }
  const body = encodeWatchRequest([A]);
  const refused = await fixture.call("watch", body, { remote: REMOTE });
  assert.equal(refused.status, 429);
  assert.equal(fixture.node.subscriptions, STREAMS_MAX);
  streams.push(await open(fixture, [A], { ...REMOTE, port: 1 }));
  await streams.shift()!.cancel();
  streams.push(await open(fixture, [A]));
  const again = await fixture.call("watch", body, { remote: REMOTE });
  assert.equal(again.status, 429);
  for (const stream of streams) await stream.cancel();
  assert.equal(fixture.node.subscriptions, 0);
});

const REFUSED: [name: string, keys: Uint8Array[], text: RegExp][] = [
  ["no key", [], /names no key/],
  ["11 keys", Array(11).fill(A), /^Too many keys \(max 10\)$/],
  ["a key of 2050 bytes", [new Uint8Array(2_050)], /too large.*max 2049/],
];

for (const [name, keys, text] of REFUSED) {
  Deno.test(`watch refuses ${name}`, async () => {
    const fixture = new Fixture();
    const response = await fixture.call("watch", encodeWatchRequest(keys));
    assert.equal(response.status, 400);
    assert.match(await response.text(), text);
    assert.equal(fixture.node.subscriptions, 0);
  });
}

Deno.test("watch takes 10 keys, and a key of 2049 bytes", async () => {
  const fixture = new Fixture();
  const long = new Uint8Array(2_049).fill(1);
  const frames = await open(fixture, [...Array(9).fill(A), long]);
  assert.equal((await frames.message()).length, 10);
  await frames.cancel();
});

/** Lets one round of the event loop pass: WebCrypto answers in its own. */
function settleMacrotask(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port2.onmessage = () => {
      port1.close();
      port2.close();
      resolve();
    };
    port1.postMessage(null);
  });
}
