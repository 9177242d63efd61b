/*
 * Goal: a member whose disk is full, fails or lies stops with an error that
 * says so, the others go on serving, and what the remedy says brings it back.
 * Method: disks that can be made full or broken under a running member
 * (small_disk.ts); bits flipped under a stopped one.
 */
import { equal, fail, match } from "node:assert/strict";
import { ClusterLoad } from "./cluster_load.ts";
import { runSealkv } from "./cli_process.ts";
import {
  type ClusterProcess,
  HAS_CLUSTERS,
  withCluster,
} from "./cluster_process.ts";
import { flip, offsetOf, segmentsOf } from "./damage.ts";
import { openKv } from "./open_kv.ts";
import {
  failingDisk,
  fillableDisk,
  HAS_MOUNTS,
  type SmallDisk,
} from "./small_disk.ts";

const EXIT_DISK = 74;
const WRITES = 50;
/** Room for the first segments of a log (4, 16, 64 MiB) and for a store. */
const DISK_MIB = 256;
const MARK = "a value to be found on the disk";
/** Beyond the first two segments, of 4 and 16 MiB. */
const LARGE_WRITES = 360;
const LARGE_BYTES = 60_000;
const ERROR_LINE = /^error\[(?:IO|WAL|STORE)_[A-Z_]+\]: .+$/m;
const REMEDY_LINE = /^remedy: .+$/m;

/** Enough to outgrow a segment, and what a store keeps in memory. */
async function writeLarge(url: string): Promise<void> {
  using kv = await openKv(url);
  const bytes = crypto.getRandomValues(new Uint8Array(LARGE_BYTES));
  for (let from = 0; from < LARGE_WRITES; from += 10) {
    const keys = Array.from({ length: 10 }, (_, i) => ["large", from + i]);
    await Promise.all(keys.map((key) => kv.set(key, bytes)));
  }
}

/** A follower that lives on `disk` loses it, stops, and comes back later. */
function testLostDisk(
  name: string,
  makeDisk: (mib: number) => Promise<SmallDisk>,
): void {
  const fn = async () => {
    await using disk = await makeDisk(DISK_MIB);
    const place = (index: number) =>
      index === 1 ? { dataDir: `${disk.path}/n2` } : {};
    await withCluster({ place }, async (cluster) => {
      const others = { members: ["n1", "n3"] };
      await using load = await ClusterLoad.start(cluster, others);
      await load.progress(WRITES);
      await disk.breakDown();
      await writeLarge(cluster.url("n1"));
      const { code, stderr } = await cluster.ended("n2");
      equal(code, EXIT_DISK, stderr);
      match(stderr, ERROR_LINE);
      match(stderr, REMEDY_LINE);
      await load.progress(WRITES);

      await disk.repair();
      await cluster.start("n2");
      await cluster.agreed();
      await load.progress(WRITES);
      await load.verify();
    });
  };
  Deno.test({ name, ignore: !HAS_CLUSTERS || !HAS_MOUNTS, fn });
}

testLostDisk(
  "a member on a full disk stops by name; the others go on",
  fillableDisk,
);

testLostDisk(
  "a member whose sync fails stops by name and never tries again",
  failingDisk,
);

/** Stops `name`, harms its data dir, and sees that it refuses to start. */
async function refusesAfter(
  cluster: ClusterProcess,
  name: string,
  harm: (dataDir: string) => Promise<void>,
  error: RegExp,
): Promise<void> {
  equal(await cluster.stop(name), 0);
  await harm(cluster.place(name).dataDir);
  await cluster.launch(name);
  const { code, stderr } = await cluster.ended(name);
  equal(code, EXIT_DISK, stderr);
  match(stderr, error);
  match(stderr, REMEDY_LINE);
}

/** The remedy: forget the damaged member, join as a new one of that name. */
async function rebuild(cluster: ClusterProcess, name: string): Promise<void> {
  const admins = cluster.running.map((other) => cluster.admin(other)).join(",");
  const status = await cluster.statusThat(
    cluster.running[0]!,
    "answers",
    () => true,
  );
  const { dataDir } = cluster.place(name);
  const { code, stderr } = await runSealkv([
    ...["member", "rebuild", name],
    ...["--data-dir", dataDir],
    ...["--admin", admins],
    ...["--confirm", status.cluster],
  ]);
  equal(code, 0, stderr);
  await cluster.start(name, { isFounding: false, args: ["--join", admins] });
  await cluster.statusThat(
    await cluster.leader(),
    `has "${name}" as a voter`,
    ({ members }) =>
      members.some((member) =>
        member.name === name && member.isVoter && member.ready
      ),
  );
}

/** In a segment that was closed long ago. */
async function flipInColdSegment(dataDir: string): Promise<void> {
  for (const segment of (await segmentsOf(dataDir)).slice(0, -1)) {
    const offset = await offsetOf(segment, MARK);
    if (offset >= 0) return await flip(segment, offset);
  }
  fail("the mark is in no closed segment");
}

Deno.test({
  name: "a member with damaged files stops by name, and is rebuilt",
  ignore: !HAS_CLUSTERS,
  fn: () =>
    withCluster({}, async (cluster) => {
      using kv = await openKv(cluster.url("n1"));
      await kv.set(["mark"], new TextEncoder().encode(MARK));
      await writeLarge(cluster.url("n1"));
      const others = { members: ["n1"] };
      await using load = await ClusterLoad.start(cluster, others);

      await refusesAfter(
        cluster,
        "n2",
        flipInColdSegment,
        /^error\[WAL_DAMAGED\]: .*\.seg/m,
      );
      await load.progress(WRITES);
      await rebuild(cluster, "n2");
      await refusesAfter(
        cluster,
        "n3",
        (dataDir) => flip(`${dataDir}/store.sqlite`, 0),
        /^error\[STORE_[A-Z_]+\]: .+$/m,
      );
      await load.progress(WRITES);
      await rebuild(cluster, "n3");
      await load.progress(WRITES);
      await load.verify();
    }),
});
