import assert from "node:assert/strict";
import { backupStream } from "../../../src/admin/backup_stream.ts";
import { AdminStoppingError } from "../../../src/admin/errors.ts";
import type { Bytes } from "../../../src/base/bytes.ts";
import { SimClock } from "../../sim/io/clock.ts";

function streaming(copy: AsyncIterable<Bytes>) {
  const clock = new SimClock();
  const [gone, stopping] = [new AbortController(), new AbortController()];
  const stream = backupStream({
    ...{ copy, clock },
    ...{ gone: gone.signal, stopping: stopping.signal },
  });
  const lengths: number[] = [];
  const read = async () => {
    for await (const { piece } of stream) lengths.push(piece!.length);
  };
  return { clock, gone, stopping, lengths, read: read() };
}

Deno.test("backupStream() cuts a copy into small pieces", async () => {
  async function* copy(): AsyncGenerator<Bytes> {
    yield new Uint8Array(100_000);
    yield new Uint8Array(3);
  }
  const { lengths, read } = streaming(copy());
  await read;
  assert.deepEqual(lengths, [65_536, 34_464, 3]);
});

Deno.test("backupStream() says now and then that a copy is being made", async () => {
  const made = Promise.withResolvers<void>();
  async function* copy(): AsyncGenerator<Bytes> {
    await made.promise;
    yield new Uint8Array(3);
  }
  const { clock, lengths, read } = streaming(copy());
  await clock.run(7_000);
  assert.deepEqual(lengths, [0, 0, 0]);
  made.resolve();
  await read;
  assert.deepEqual(lengths, [0, 0, 0, 3]);
});

Deno.test("backupStream() ends a stuck copy as the node stops, or the caller goes", async () => {
  async function* copy(): AsyncGenerator<Bytes> {
    await new Promise(() => {});
    yield new Uint8Array(0);
  }
  const stopped = streaming(copy());
  await stopped.clock.run(3_000);
  stopped.stopping.abort();
  await assert.rejects(stopped.read, AdminStoppingError);
  const left = streaming(copy());
  await left.clock.run(3_000);
  left.gone.abort();
  await left.read;
});

Deno.test("backupStream() passes on why a copy fails", async () => {
  async function* copy(): AsyncGenerator<Bytes> {
    yield new Uint8Array(3);
    throw new Error("the disk is full");
  }
  await assert.rejects(streaming(copy()).read, /the disk is full/);
});
