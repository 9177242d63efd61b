/*
 * Goal: the Backup call gives a stream that can be read whole, of all that was
 * answered before it, while writes go on.
 * Method: a real node, Deno's client, the admin client, and the reader that a
 * member uses for a checkpoint.
 */
import { equal, ok } from "node:assert/strict";
import { connectAdmin } from "../../mod.ts";
import { concatBytes } from "../../src/base/bytes.ts";
import { openDenoDisk } from "../../src/io/deno/disk.ts";
import { verifyCheckpoint } from "../../src/store/checkpoint/read.ts";
import { ADMIN_TOKEN, NodeProcess } from "./node_process.ts";
import { openKv } from "./open_kv.ts";

const RECORDS = 100;

Deno.test("a backup is whole and holds what was answered before", async () => {
  await using node = await NodeProcess.start();
  const path = await Deno.makeTempFile({ prefix: "sealkv-backup-" });
  using kv = await openKv(node.url);
  for (let i = 0; i < RECORDS; i += 1) await kv.set(["before", i], i);
  let isOver = false;
  const writer = (async () => {
    for (let i = 0; !isOver; i += 1) await kv.set(["during", i], i);
  })();
  const admin = connectAdmin({ admin: node.bound.admin, token: ADMIN_TOKEN });
  const pieces: Uint8Array[] = [];
  for await (const piece of admin.backup()) pieces.push(piece);
  await Deno.writeFile(path, concatBytes(...pieces));
  isOver = true;
  await writer;
  admin.close();
  const disk = openDenoDisk();
  const file = await disk.open(path, "existing");
  const { state, records, bytes } = await verifyCheckpoint(file);
  await file.close();
  await disk.close();
  ok(records >= RECORDS, `${records} records`);
  ok(state.applied.index > 0);
  equal(bytes, (await Deno.stat(path)).size);
  await Deno.remove(path);
  equal(await node.stop(), 0, node.output);
});
