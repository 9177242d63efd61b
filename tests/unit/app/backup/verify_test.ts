/*
 * Goal: a backup is whole and opens, or is refused by name; no byte of it can
 * change, go or come unnoticed.
 */
import assert from "node:assert/strict";
import {
  BackupDamagedError,
  BackupKeysMissingError,
} from "../../../../src/app/backup/errors.ts";
import { verifyBackup } from "../../../../src/app/backup/verify.ts";
import { DiskNotFoundError } from "../../../../src/io/errors.ts";
import { KekUnavailableError } from "../../../../src/keys/kek_errors.ts";
import type { Kek } from "../../../../src/keys/port.ts";
import { CheckpointUnsupportedError } from "../../../../src/store/errors.ts";
import { TestKek } from "../../keys/test_kek.ts";
import {
  BackupWorld,
  OLD_INDEX,
  type Phase,
  RECORD_COUNT,
} from "./backup_world.ts";

const PHASES: readonly Phase[] = [
  "no keys",
  "keys",
  "storage",
  "raft and lock",
];

async function verify(world: BackupWorld, path: string, keks: readonly Kek[]) {
  return await verifyBackup(world.ports, { path, keks });
}

for (const phase of PHASES) {
  Deno.test(`verifyBackup() reads all of a backup with ${phase}`, async () => {
    await using world = await BackupWorld.open();
    const path = await world.backup(phase);
    // Backups are often not ours to write.
    await Deno.chmod(path, 0o400);
    const facts = await verify(world, path, [world.kek]);
    assert.equal(facts.records, RECORD_COUNT);
    assert.equal(facts.index, OLD_INDEX);
    assert.equal(facts.verified, "all");
    assert.equal(facts.isSealed, !["no keys", "keys"].includes(phase));
    assert.equal(facts.keys.length, phase === "no keys" ? 0 : 3);
    assert.equal(facts.bytes, (await Deno.stat(path)).size);
    assert.deepEqual(facts.members, ["n1", "n12"]);
  });
}

Deno.test("verifyBackup() needs no KEK for a backup in cleartext", async () => {
  await using world = await BackupWorld.open();
  const facts = await verify(world, await world.backup("keys"), []);
  assert.equal(facts.records, RECORD_COUNT);
});

Deno.test("verifyBackup() says no to a sealed one that does not open", async () => {
  await using world = await BackupWorld.open();
  const path = await world.backup("storage");
  const other = await TestKek.of(2);
  for (const keks of [[], [other]]) {
    await assert.rejects(verify(world, path, keks), (error) => {
      assert.ok(error instanceof BackupKeysMissingError);
      assert.deepEqual(error.keys.wrappedUnder, [world.kek.id]);
      assert.deepEqual(error.keys.given, keks.map(({ id }) => id));
      assert.match(error.remedy, /--kek URI/);
      return true;
    });
  }
  const facts = await verify(world, path, [other, world.kek]);
  assert.equal(facts.records, RECORD_COUNT);
});

Deno.test("verifyBackup() tells a provider that is silent from a wrong KEK", async () => {
  await using world = await BackupWorld.open();
  const path = await world.backup("storage");
  world.kek.isDown = true;
  await assert.rejects(verify(world, path, [world.kek]), KekUnavailableError);
});

for (const phase of ["no keys", "raft and lock"] as const) {
  Deno.test(`verifyBackup() finds any changed byte, ${phase}`, async () => {
    await using world = await BackupWorld.open();
    const bytes = await world.bytes(phase, 2);
    const path = `${world.dir}/changed`;
    for (let at = 0; at < bytes.length; at += at < 60 ? 1 : 7) {
      const changed = bytes.slice();
      changed[at]! ^= 1 << (at & 7);
      await Deno.writeFile(path, changed);
      await assert.rejects(
        verify(world, path, [world.kek]),
        (error) =>
          error instanceof BackupDamagedError ||
          error instanceof CheckpointUnsupportedError,
        `at ${at}`,
      );
    }
  });

  Deno.test(`verifyBackup() finds an end that is missing, ${phase}`, async () => {
    await using world = await BackupWorld.open();
    const bytes = await world.bytes(phase, 3_000);
    const path = `${world.dir}/short`;
    const headLength = 12 + new DataView(bytes.buffer).getUint32(8) + 32;
    const chunk = 4 + new DataView(bytes.buffer).getUint32(headLength);
    const lengths = [0, 5, headLength, headLength + chunk, bytes.length - 1];
    for (const length of lengths) {
      await Deno.writeFile(path, bytes.subarray(0, length));
      await assert.rejects(verify(world, path, [world.kek]), (error) => {
        assert.ok(error instanceof BackupDamagedError, `${error}`);
        assert.ok(error.offset <= length);
        assert.match(error.message, /at offset \d+/);
        return true;
      });
    }
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    await Deno.writeFile(path, longer);
    const refused = verify(world, path, [world.kek]);
    await assert.rejects(refused, BackupDamagedError);
  });
}

Deno.test("verifyBackup() refuses what is no backup", async () => {
  await using world = await BackupWorld.open();
  const path = `${world.dir}/notes.txt`;
  await Deno.writeTextFile(path, "not a backup, but long enough for a header");
  const refused = verify(world, path, []);
  await assert.rejects(refused, /another kind of file/);
  await assert.rejects(verify(world, `${path}2`, []), DiskNotFoundError);
});
