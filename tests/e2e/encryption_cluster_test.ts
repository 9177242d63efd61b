/*
 * Goal: keys are drawn, rotated and wrapped anew while clients write and members
 * die, and every member that comes back, or is new, has the same keys.
 * Method: real nodes with KEK files, the real commands, `kill -9` between and
 * amid the steps; after each step all members and their sidecars say the same,
 * and a start shows as one epoch more. The history is checked at the end.
 */
import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { callAdmin } from "./admin_call.ts";
import { ClusterLoad } from "./cluster_load.ts";
import { HAS_CLUSTERS, withCluster } from "./cluster_process.ts";
import { assertReport, EncryptedCluster } from "./encrypted_cluster.ts";
import { CALM, PATIENT } from "./encryption_trial.ts";
import type { SeenEncryption, SeenKey } from "./encryption_view.ts";
import { kekArgs, type KekFile, KekFiles } from "./kek_files.ts";
import { openKv } from "./open_kv.ts";
import { until } from "./until.ts";

const EXIT_CONFIG = 78;
const SEEN_MS_MAX = 30_000;
/** Flags that make the log forget soon. */
const SHORT_LOG = ["--log-compact-after", "1MiB", "--log-keep-entries", "5"];
const LARGE_WRITES = 80;
const LARGE_BYTES = 60_000;
const WRITES = 10;

function withKeys(
  args: readonly string[],
  task: (
    encrypted: EncryptedCluster,
    keks: { readonly first: KekFile; readonly files: KekFiles },
  ) => Promise<void>,
): () => Promise<void> {
  return async () => {
    await using files = await KekFiles.open();
    const first = await files.make("first");
    const place = () => ({ args: kekArgs(first) });
    await withCluster(
      { args: [...PATIENT, ...args], place },
      async (cluster) => {
        const encrypted = new EncryptedCluster(cluster);
        await task(encrypted, { first, files });
        encrypted.assertNoHalt();
        await encrypted.assertMetrics();
        await encrypted.assertShowsNone(files.all.map(({ bytes }) => bytes));
      },
    );
  };
}

/** Any of these. */
function drawn<T>(items: readonly T[]): T {
  const [number = 0] = crypto.getRandomValues(new Uint32Array(1));
  return items[number % items.length]!;
}

/** Epochs that the registry shows of a member, by active key. */
function epochsOf(
  { keys }: SeenEncryption,
  member: string,
): ReadonlyMap<number, number> {
  return new Map(
    keys.filter(({ active }) => active)
      .map(({ id, writers }) => [id, writers.get(member) ?? 0]),
  );
}

/**
 * `task` started `member` once again and no other: one epoch more, of the keys
 * that there were before and are active yet.
 */
async function startsOnce(
  encrypted: EncryptedCluster,
  member: string,
  task: () => Promise<void>,
): Promise<SeenEncryption> {
  const before = await encrypted.agreed();
  await task();
  const after = await encrypted.agreed();
  for (const name of encrypted.cluster.names) {
    const epochs = epochsOf(after, name);
    for (const [key, epoch] of epochsOf(before, name)) {
      if (!epochs.has(key)) continue;
      const expected = name === member ? epoch + 1 : epoch;
      equal(epochs.get(key), expected, `the epoch of "${name}" under ${key}`);
    }
  }
  return after;
}

/** Some member dies and comes back: nothing but its epochs changed. */
async function killSome(encrypted: EncryptedCluster): Promise<void> {
  const name = drawn(encrypted.cluster.names);
  const before = await encrypted.agreed();
  const after = await startsOnce(
    encrypted,
    name,
    () => encrypted.killAndBack(name),
  );
  await encrypted.agreedByStatus();
  equal(after.stateIndex, before.stateIndex);
  deepEqual(after.keys.map(withoutWriters), before.keys.map(withoutWriters));
}

function withoutWriters({ writers: _, ...key }: SeenKey) {
  return key;
}

/**
 * Asks the leader for a change and kills it: once it has been asked, or once
 * the sidecar of the leader, or of another member, has changed.
 */
async function killLeaderAmid(
  encrypted: EncryptedCluster,
  { rpc, body, moment }: {
    readonly rpc: string;
    readonly body: unknown;
    readonly moment: "asked" | "kept by the leader" | "kept by another";
  },
): Promise<void> {
  const { cluster } = encrypted;
  const leader = await cluster.leader();
  const watched = moment === "kept by another"
    ? cluster.names.find((name) => name !== leader)!
    : leader;
  const { text } = await encrypted.sidecar(watched);
  let isAnswered = false;
  const asked = callAdmin(cluster.admin(leader), rpc, body).catch(() => {})
    .finally(() => isAnswered = true);
  if (moment !== "asked") {
    const deadline = performance.now() + SEEN_MS_MAX;
    while (!isAnswered && performance.now() < deadline) {
      if ((await encrypted.sidecar(watched)).text !== text) break;
    }
  }
  await cluster.kill(leader);
  await asked;
  await cluster.leader([leader]);
  await cluster.start(leader);
  await cluster.agreed();
}

async function bootstrapAmidCrashes(
  encrypted: EncryptedCluster,
): Promise<void> {
  const rpc = "EncryptionAdmin/Bootstrap";
  await killLeaderAmid(encrypted, { rpc, body: {}, moment: "asked" });
  await killLeaderAmid(encrypted, {
    rpc,
    body: {},
    moment: "kept by the leader",
  });
  const { index } = await encrypted.change("bootstrap");
  const { keys, stateIndex } = await encrypted.agreedByStatus();
  equal(stateIndex, Number(index));
  deepEqual(
    keys.map(({ createdIndex }) => createdIndex),
    Array(3).fill(stateIndex),
  );
  deepEqual(
    keys.map(({ purpose }) => purpose).toSorted(),
    ["raft", "state", "storage"],
  );
  const again = await encrypted.change("bootstrap");
  deepEqual([again.changed, again.index], [false, index]);
}

/** The leader dies amid it; then it is given again. */
async function rotateAmidCrash(
  encrypted: EncryptedCluster,
  purpose: "storage" | "raft",
): Promise<void> {
  const before = await encrypted.agreed();
  await killLeaderAmid(encrypted, {
    rpc: "EncryptionAdmin/RotateDek",
    body: { purpose: `KEY_PURPOSE_${purpose.toUpperCase()}` },
    moment: drawn(["asked", "kept by the leader", "kept by another"]),
  });
  const between = await encrypted.agreed();
  const count = between.keys.length;
  ok([0, 1].includes(count - before.keys.length), `${count} keys`);
  const { index } = await encrypted.change("rotate-dek", "--purpose", purpose);
  const after = await encrypted.agreedByStatus();
  equal(after.stateIndex, Number(index));
  equal(after.keys.length, count + 1);
}

async function rotate(
  encrypted: EncryptedCluster,
  purpose: "storage" | "raft",
): Promise<void> {
  const before = await encrypted.agreed();
  const { changed, index } = await encrypted.change(
    ...["rotate-dek", "--purpose", purpose],
  );
  ok(changed);
  const after = await encrypted.agreedByStatus();
  equal(after.stateIndex, Number(index));
  const activeOf = ({ keys }: SeenEncryption) =>
    keys.find((key) => key.active && key.purpose === purpose)?.id;
  notEqual(activeOf(after), activeOf(before));
  const ids = before.keys.map(({ id }) => id);
  const kept = after.keys.filter(({ id }) => ids.includes(id));
  equal(kept.length, ids.length, "old keys stay");
  equal(after.keys.length, ids.length + 1);
}

/** Old and new KEK, then the wraps, then the new one alone. */
async function changeKek(
  encrypted: EncryptedCluster,
  load: ClusterLoad,
  [old, next]: readonly [KekFile, KekFile],
): Promise<void> {
  const { names } = encrypted.cluster;
  for (const name of names) {
    const args = kekArgs(next, old);
    await startsOnce(encrypted, name, () => encrypted.restart(name, args));
    await load.progress(WRITES);
  }
  const { changed, index } = await encrypted.change(
    ...["rewrap-deks", "--to", next.id],
  );
  ok(changed);
  const { keys, stateIndex } = await encrypted.agreedByStatus();
  equal(stateIndex, Number(index));
  for (const { keks } of keys) deepEqual(keks, [next.id]);
  await killSome(encrypted);
  for (const name of names) {
    await startsOnce(
      encrypted,
      name,
      () => encrypted.restart(name, kekArgs(next)),
    );
    await load.progress(WRITES);
  }
  await encrypted.agreedByStatus();
  const again = await encrypted.change("rewrap-deks", "--to", next.id);
  equal(again.changed, false);
  const name = drawn(names);
  await startsOnce(encrypted, name, async () => {
    equal(await encrypted.cluster.stop(name), 0);
    await encrypted.refusesToStart(name, kekArgs(old), {
      code: "KEYS_KEK_MISMATCH",
      exit: EXIT_CONFIG,
      says: [old.id, next.id],
    });
    await encrypted.cluster.start(name);
    await encrypted.cluster.agreed();
  });
}

Deno.test({
  name: "keys are drawn, rotated and wrapped anew while members die",
  ignore: !HAS_CLUSTERS,
  fn: withKeys([], async (encrypted, { first, files }) => {
    await using load = await ClusterLoad.start(encrypted.cluster, CALM);
    await bootstrapAmidCrashes(encrypted);
    await killSome(encrypted);
    await rotateAmidCrash(encrypted, "storage");
    for (const purpose of ["raft", "storage", "raft"] as const) {
      await rotate(encrypted, purpose);
      await load.progress(WRITES);
      await killSome(encrypted);
    }
    await changeKek(encrypted, load, [first, await files.make("next")]);
    await rotate(encrypted, "storage");
    await load.allGoOn();
    await load.verify();
  }),
});

/** Writes until the log lets go of what was there before. */
async function outgrowLog(url: string): Promise<void> {
  using kv = await openKv(url);
  const bytes = crypto.getRandomValues(new Uint8Array(LARGE_BYTES));
  for (let i = 0; i < LARGE_WRITES; i += 1) await kv.set(["large", i], bytes);
}

/** Starts `name` anew by the cluster's leave; it becomes a voter. */
async function join(encrypted: EncryptedCluster, name: string): Promise<void> {
  const { cluster } = encrypted;
  const args = ["--join", encrypted.admins];
  await cluster.start(name, { isFounding: false, args });
  await cluster.statusThat(
    await cluster.leader(),
    `has "${name}" as a voter`,
    ({ members }) =>
      members.some((member) =>
        member.name === name && member.isVoter && member.ready
      ),
  );
}

/** A new member without the flag takes in nothing and says what it needs. */
async function stopsWithoutKek(
  encrypted: EncryptedCluster,
  name: string,
): Promise<void> {
  const { cluster } = encrypted;
  const args = ["--join", encrypted.admins];
  await cluster.launch(name, { isFounding: false, args });
  const { code, stderr } = await cluster.ended(name);
  equal(code, EXIT_CONFIG, stderr);
  assertReport(stderr, "NODE_ENCRYPTION_HALTED", [
    "no KEK is configured",
    "sealkv serve --encryption-enabled --kek URI",
  ]);
  equal((await encrypted.sidecar(name)).text, null);
}

/** The member's log is behind what the others have kept. */
async function comesBackByCheckpoint(
  encrypted: EncryptedCluster,
): Promise<void> {
  const { cluster } = encrypted;
  const leader = await cluster.leader();
  const late = cluster.names.find((name) => name !== leader)!;
  const before = await encrypted.agreed();
  await cluster.kill(late);
  const { unreachable } = await encrypted.change(
    ...["rotate-dek", "--purpose", "raft"],
  );
  // Beside it may be one that lives and was slow to answer.
  ok(unreachable.includes(late), `${unreachable}`);
  await outgrowLog(cluster.url(leader));
  await cluster.start(late);
  await cluster.agreed();
  // It agrees a moment before it says so.
  await until(
    `"${late}" came back by a checkpoint`,
    SEEN_MS_MAX,
    () => cluster.node(late).output.includes('"event":"checkpoint_installed"'),
  );
  const { keys } = await encrypted.agreedByStatus();
  equal(keys.length, before.keys.length + 1);
}

async function rebuildsAbove(
  encrypted: EncryptedCluster,
  name: string,
): Promise<void> {
  const { cluster } = encrypted;
  const before = epochsOf(await encrypted.agreed(), name);
  const { dataDir } = cluster.place(name);
  const clusterName = (await cluster.status(name))?.cluster ?? "";
  equal(await cluster.stop(name), 0);
  const old = await encrypted.sidecar(name);
  const { code, stderr } = await encrypted.run(
    ...["member", "rebuild", name, "--data-dir", dataDir],
    ...["--confirm", clusterName],
  );
  equal(code, 0, stderr);
  equal((await encrypted.sidecar(name)).text, null);
  await join(encrypted, name);
  const after = epochsOf(await encrypted.agreedByStatus(), name);
  for (const [key, epoch] of before) {
    ok(after.get(key)! > epoch, `${after.get(key)} is not above ${epoch}`);
  }
  const kept = (await Array.fromAsync(Deno.readDir(dataDir)))
    .filter(({ name }) => /^encryption\.old-/.test(name));
  equal(kept.length, 1, "the old contents stay");
  const keptText = await Deno.readTextFile(
    `${dataDir}/${kept[0]!.name}/keys.json`,
  );
  equal(keptText, old.text);
}

Deno.test({
  name: "members that come later get the keys, and count on",
  ignore: !HAS_CLUSTERS,
  fn: withKeys(SHORT_LOG, async (encrypted, { first }) => {
    const { cluster } = encrypted;
    await using load = await ClusterLoad.start(cluster, CALM);
    await encrypted.change("bootstrap");
    await rotate(encrypted, "storage");
    await comesBackByCheckpoint(encrypted);
    await load.progress(WRITES);

    cluster.addPlace("n4", { args: PATIENT });
    const added = await encrypted.run(
      ...["member", "add", "n4", "--peer", cluster.peer("n4"), "--no-wait"],
    );
    equal(added.code, 0, added.stderr);
    await stopsWithoutKek(encrypted, "n4");
    cluster.setArgs("n4", [...PATIENT, ...kekArgs(first)]);
    await join(encrypted, "n4");
    const { keys } = await encrypted.agreedByStatus();
    for (const { active, writers } of keys) {
      equal(writers.get("n4"), active ? 1 : undefined);
    }
    await rotate(encrypted, "raft");
    await load.progress(WRITES);

    await rebuildsAbove(encrypted, drawn(cluster.names));
    await rotate(encrypted, "storage");
    await load.allGoOn();
    await load.verify();
  }),
});
