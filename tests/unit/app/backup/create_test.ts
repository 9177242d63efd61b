/*
 * Goal: a backup is there whole, or not at all; nothing of before is lost.
 */
import assert from "node:assert/strict";
import { createBackup } from "../../../../src/app/backup/create.ts";
import {
  BackupDamagedError,
  BackupExistsError,
  BackupKeysMissingError,
} from "../../../../src/app/backup/errors.ts";
import type { Kek } from "../../../../src/keys/port.ts";
import { TestKek } from "../../keys/test_kek.ts";
import { BackupWorld, piecesOf, RECORD_COUNT } from "./backup_world.ts";

const NAME = "made.sealkv";

async function create(
  world: BackupWorld,
  pieces: AsyncIterable<Uint8Array>,
  keks: readonly Kek[] = [],
) {
  const path = `${world.dir}/${NAME}`;
  return await createBackup(world.ports, { path, pieces, keks });
}

Deno.test("createBackup() keeps what a member sends, for its owner alone", async () => {
  await using world = await BackupWorld.open();
  const bytes = await world.bytes("no keys");
  const facts = await create(world, piecesOf(bytes));
  assert.deepEqual(await Deno.readFile(facts.path), bytes);
  assert.equal((await Deno.stat(facts.path)).mode! & 0o777, 0o600);
  assert.deepEqual([facts.verified, facts.records], ["all", RECORD_COUNT]);
  assert.deepEqual(await world.names(), [NAME]);
});

Deno.test("createBackup() checks a sealed one as far as its KEKs go", async () => {
  await using world = await BackupWorld.open();
  const bytes = await world.bytes("storage");
  const closed = await create(world, piecesOf(bytes));
  assert.deepEqual([closed.verified, closed.records], ["header", null]);
  await Deno.remove(closed.path);
  const opened = await create(world, piecesOf(bytes), [world.kek]);
  assert.deepEqual([opened.verified, opened.records], ["all", RECORD_COUNT]);
  await Deno.remove(opened.path);
  const other = create(world, piecesOf(bytes), [await TestKek.of(2)]);
  await assert.rejects(other, BackupKeysMissingError);
  assert.deepEqual(await world.names(), []);
});

Deno.test("createBackup() leaves a file that is there as it is", async () => {
  await using world = await BackupWorld.open();
  const bytes = await world.bytes("no keys");
  for (const name of [NAME, `${NAME}.partial`]) {
    const path = `${world.dir}/${name}`;
    await Deno.writeTextFile(path, "mine");
    await assert.rejects(create(world, piecesOf(bytes)), (error) => {
      assert.ok(error instanceof BackupExistsError);
      assert.equal(error.path, path);
      return true;
    });
    assert.equal(await Deno.readTextFile(path), "mine");
    assert.deepEqual(await world.names(), [name]);
    await Deno.remove(path);
  }
});

Deno.test("createBackup() keeps a file that comes while it is made", async () => {
  await using world = await BackupWorld.open();
  const bytes = await world.bytes("no keys");
  const path = `${world.dir}/${NAME}`;
  async function* pieces() {
    yield* piecesOf(bytes);
    await Deno.writeTextFile(path, "mine");
  }
  await assert.rejects(create(world, pieces()), BackupExistsError);
  assert.equal(await Deno.readTextFile(path), "mine");
  assert.deepEqual(await world.names(), [NAME]);
});

Deno.test("createBackup() leaves nothing of a stream that breaks", async () => {
  await using world = await BackupWorld.open();
  const bytes = await world.bytes("no keys");
  async function* broken() {
    yield bytes.subarray(0, 700);
    throw new Error("the member is gone");
  }
  await assert.rejects(create(world, broken()), /the member is gone/);
  assert.deepEqual(await world.names(), []);
});

for (const phase of ["no keys", "storage"] as const) {
  Deno.test(`createBackup() leaves nothing of a damaged one, ${phase}`, async () => {
    await using world = await BackupWorld.open();
    const bytes = await world.bytes(phase);
    const changed = bytes.slice();
    changed[20]! ^= 1;
    const short = bytes.subarray(0, bytes.length - 3);
    for (const wrong of [changed, short, bytes.subarray(0, 0)]) {
      const made = create(world, piecesOf(wrong));
      await assert.rejects(made, BackupDamagedError);
      assert.deepEqual(await world.names(), []);
    }
  });
}
