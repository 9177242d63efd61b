/*
 * Goal: a byte that changed on the disk of a stopped node is named and refused,
 * and never served.
 * Method: a node writes records and stops; one bit of the log, of a record in
 * the store, or of the store's first page is flipped; then the node starts, or
 * the record is read, and says what it found. With the bit put back everything
 * is there again: a refusal changes nothing.
 */
import { equal, match, rejects } from "node:assert/strict";
import { flip, offsetOf, segmentsOf } from "./damage.ts";
import { NodeProcess } from "./node_process.ts";
import { openKv } from "./open_kv.ts";
import { flipRecord } from "./stored_record.ts";

const RECORDS = 20;
const EXIT_DISK = 74;
const MARK = "a value to be found on the disk";

/** Runs `task` on the data dir of a node that wrote RECORDS and stopped. */
async function withWrittenDataDir(
  task: (dataDir: string) => Promise<void>,
): Promise<void> {
  const dataDir = await Deno.makeTempDir({ prefix: "sealkv-damage-" });
  try {
    await using node = await NodeProcess.start({ dataDir });
    using kv = await openKv(node.url);
    for (let i = 0; i < RECORDS; i += 1) {
      await kv.set(["k", i], new TextEncoder().encode(`${MARK} ${i}.`));
    }
    equal(await node.stop(), 0, node.output);
    await task(dataDir);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
}

async function valueOf(node: NodeProcess, i: number): Promise<string> {
  using kv = await openKv(node.url);
  const { value } = await kv.get<Uint8Array>(["k", i]);
  return new TextDecoder().decode(value ?? undefined);
}

Deno.test("a flipped bit in the log is named, refused, and changes nothing", () =>
  withWrittenDataDir(async (dataDir) => {
    const segment = (await segmentsOf(dataDir)).at(-1)!;
    const offset = await offsetOf(segment, `${MARK} 7.`);
    await flip(segment, offset);
    await using damaged = await NodeProcess.launch({ dataDir });
    equal(await damaged.exited(), EXIT_DISK, damaged.output);
    match(damaged.stderr, /^error\[WAL_DAMAGED\]: .*\.seg/m);
    match(damaged.stderr, /^remedy: .+$/m);

    await flip(segment, offset);
    await using healed = await NodeProcess.start({ dataDir });
    equal(await valueOf(healed, 7), `${MARK} 7.`);
    equal(await healed.stop(), 0, healed.output);
  }));

Deno.test("a flipped bit in a record is named and never served", () =>
  withWrittenDataDir(async (dataDir) => {
    const store = `${dataDir}/store.sqlite`;
    flipRecord(store, `${MARK} 7.`);
    await using node = await NodeProcess.start({ dataDir });
    await rejects(valueOf(node, 7), /damaged|integrity|checksum/i);
    equal(await valueOf(node, 8), `${MARK} 8.`);
    equal(await node.stop(), 0, node.output);
    flipRecord(store, `${MARK} 7.`);
    await using healed = await NodeProcess.start({ dataDir });
    equal(await valueOf(healed, 7), `${MARK} 7.`);
  }));

Deno.test("a store whose first page changed is refused", () =>
  withWrittenDataDir(async (dataDir) => {
    await flip(`${dataDir}/store.sqlite`, 0);
    await using damaged = await NodeProcess.launch({ dataDir });
    equal(await damaged.exited(), EXIT_DISK, damaged.output);
    match(damaged.stderr, /^error\[STORE_[A-Z_]+\]: .*$/m);
    match(damaged.stderr, /^remedy: .+$/m);
  }));
