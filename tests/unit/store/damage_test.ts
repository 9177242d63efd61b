/*
 * Goal: a byte that changes in the file of the backing store is named and
 * refused, never served.
 * Method: write a real file, close it, change bytes, open it again.
 */
import assert from "node:assert/strict";
import { utf8 } from "../../../src/base/bytes.ts";
import type { NodeError } from "../../../src/base/error.ts";
import { openDenoKv } from "../../../src/io/deno/kv.ts";
import { Store } from "../../../src/store/store.ts";
import { recordOf, SILENT_LOG, stateAt } from "./store_model.ts";

const VALUE = utf8("the very value that is looked for in the file");
const KEY = { database: 1, key: utf8("\x02victim\0") };
const RANGE = {
  start: Uint8Array.of(1),
  end: Uint8Array.of(255),
  limit: 10,
  reverse: false,
};

/** Calls `use` with a store file that `change` has altered. */
async function withDamage(
  change: (file: Uint8Array) => void,
  use: (store: Promise<Store>) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/store.sqlite`;
  const open = () => Store.open({ kv: openDenoKv(path), log: SILENT_LOG });
  try {
    const store = await open();
    const record = recordOf(VALUE, 1);
    await store.commit({
      state: stateAt(1),
      mutations: [{ ...KEY, record }],
    });
    await store.close();
    await settle(path);
    const file = await Deno.readFile(path);
    change(file);
    await Deno.writeFile(path, file);
    await use(open());
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Deno KV closes its file on a thread of its own, which folds in the WAL. */
async function settle(path: string): Promise<void> {
  for (;;) {
    const file = await Deno.readFile(path);
    const wal = await Deno.stat(`${path}-wal`).catch(() => null);
    if (find(file, VALUE) >= 0 && (wal === null || wal.size === 0)) return;
    const kv = await Deno.openKv(path);
    await kv.get(["any"]);
    kv.close();
  }
}

function find(file: Uint8Array, text: Uint8Array): number {
  for (let at = file.indexOf(text[0]!); at >= 0;) {
    if (text.every((byte, i) => file[at + i] === byte)) return at;
    at = file.indexOf(text[0]!, at + 1);
  }
  return -1;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return await work.then(() => "served", (error: NodeError) => error.code);
}

const OFFSETS: readonly (readonly [string, number])[] = [
  ["the first byte of the value", 0],
  ["the last byte of the value", VALUE.length - 1],
  ["the checksum", VALUE.length],
  ["the expiry", -1],
  ["the versionstamp", -12],
  ["the encoding", -19],
];

for (const [name, offset] of OFFSETS) {
  Deno.test(`a flipped bit in ${name} is refused, never served`, async () => {
    await withDamage(
      (file) => {
        file[find(file, VALUE) + offset]! ^= 0x10;
      },
      async (opening) => {
        const store = await opening;
        const point = { ...RANGE, start: KEY.key, limit: 1 };
        for (const range of [RANGE, point]) {
          assert.equal(
            await codeOf(store.readRanges(1, [range], 0)),
            "STORE_RECORD_DAMAGED",
          );
        }
        assert.equal(
          await codeOf(store.readRecords([KEY])),
          "STORE_RECORD_DAMAGED",
        );
        await store.close();
      },
    );
  });
}

Deno.test("a damaged page of the file is reported as such", async () => {
  await withDamage(
    (file) => file.fill(0xff, 4_096, file.length),
    async (opening) => {
      assert.equal(await codeOf(opening), "STORE_BACKING_FAILED");
    },
  );
});

Deno.test("a file that is no store is reported as such", async () => {
  await withDamage(
    (file) => file.fill(0x41, 0, 100),
    async (opening) => {
      assert.equal(await codeOf(opening), "STORE_BACKING_FAILED");
    },
  );
});
