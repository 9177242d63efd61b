import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { toHex } from "../../../src/base/bytes.ts";
import { BufferedStore } from "../../../src/store/buffered_store.ts";
import {
  decodeNoCleartext,
  encodeNoCleartext,
} from "../../../src/store/no_cleartext.ts";
import { Store } from "../../../src/store/store.ts";
import { SimKv, SimKvDisk } from "../../sim/io/kv.ts";
import { CUTOVER, sealedAt } from "./sealed_model.ts";
import { SILENT_LOG } from "./store_model.ts";

const SEALED = { state: sealedAt(CUTOVER), mutations: [] };

function open(disk: SimKvDisk): Promise<Store> {
  return Store.open({ kv: new SimKv({ disk }), log: SILENT_LOG });
}

Deno.test("the mark has the cutover and a checksum", () => {
  const bytes = encodeNoCleartext(184_201);
  assert.equal(toHex(bytes.subarray(0, 9)), "01000000000002cf89");
  assert.equal(decodeNoCleartext(bytes), 184_201);
  assert.throws(() => encodeNoCleartext(0), InvariantError);
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = bytes.with(at, bytes[at]! ^ 1);
    const code = at === 0 ? "STORE_VERSION_UNSUPPORTED" : "STORE_ROW_DAMAGED";
    assert.throws(() => decodeNoCleartext(changed), { code });
  }
  for (const length of [0, 1, 12]) {
    assert.throws(() => decodeNoCleartext(bytes.slice(0, length)), {
      code: "STORE_ROW_DAMAGED",
    });
  }
});

Deno.test("markNoCleartext() is durable, and needs a cutover", async () => {
  const disk = new SimKvDisk();
  const store = await open(disk);
  await assert.rejects(store.markNoCleartext(), InvariantError);
  await store.commit(SEALED);
  assert.equal(store.hasNoCleartextMark, false);
  await store.markNoCleartext();
  assert.equal(store.hasNoCleartextMark, true);
  const died = await open(disk.copy());
  assert.equal(died.hasNoCleartextMark, true);
  await died.close();
  await store.commit({ state: sealedAt(CUTOVER + 1), mutations: [] });
  await store.close();
  const again = await BufferedStore.open({
    kv: new SimKv({ disk }),
    log: SILENT_LOG,
  });
  assert.equal(again.hasNoCleartextMark, true);
  const unmarked = await open(new SimKvDisk());
  await unmarked.commit(SEALED);
  await again.replaceWith(unmarked);
  assert.equal(again.hasNoCleartextMark, false);
  await again.markNoCleartext();
  assert.equal(again.hasNoCleartextMark, true);
  await again.close();
});

Deno.test("a mark that could not be stored is none", async () => {
  const disk = new SimKvDisk();
  const kv = new SimKv({ disk, faultAt: 2, fault: "fail" });
  const store = await Store.open({ kv, log: SILENT_LOG });
  await store.commit(SEALED);
  await assert.rejects(store.markNoCleartext(), {
    code: "STORE_BACKING_FAILED",
  });
  assert.equal(store.hasNoCleartextMark, false);
  await store.close();
  const again = await open(disk);
  assert.equal(again.hasNoCleartextMark, false);
  await again.close();
});

Deno.test("a mark of another cutover is none", async () => {
  const disk = new SimKvDisk();
  const store = await open(disk);
  await store.commit(SEALED);
  await store.markNoCleartext();
  await store.close();
  const row = disk.rows.find(({ key }) => key[0] === 0n && key[1] === 11n)!;
  row.value.set(encodeNoCleartext(CUTOVER + 1));
  const again = await open(disk);
  assert.equal(again.hasNoCleartextMark, false);
  await again.close();
});
