import assert from "node:assert/strict";
import { equalBytes } from "../../../src/base/bytes.ts";
import {
  begin,
  type BeginOptions,
  type FoundDataDir,
  type JoinGrant,
} from "../../../src/node/begin.ts";
import { IdentityDamagedError } from "../../../src/node/errors.ts";
import { foundingDigest, foundingMembers } from "../../../src/node/founding.ts";
import {
  NO_DIGEST,
  readIdentity,
  writeIdentity,
} from "../../../src/node/identity.ts";
import {
  AlreadyFoundedError,
  JoinRefusedError,
  WrongNodeError,
} from "../../../src/node/member_errors.ts";
import { SimDisk } from "../../sim/io/disk.ts";
import { SimRandom } from "../../sim/io/random.ts";
import { memberOf } from "../store/store_model.ts";

const PATH = "/data/NODE";
const DISK_ID = new Uint8Array(16).fill(5);
const CLUSTER = ["n3", "n1", "n2"].map((name) => ({
  name,
  address: `${name}:1`,
}));
const THREE = foundingDigest(foundingMembers(CLUSTER));
const GRANT: JoinGrant = {
  clusterId: new Uint8Array(16).fill(1),
  id: 42,
  members: [memberOf(1, "n1:1"), memberOf(42, "n9:1")],
};

const NEW_ALONE: BeginOptions & FoundDataDir = {
  name: "n1",
  initialCluster: null,
  join: null,
  peerAddress: "n1:1",
  hasLog: false,
  storedMembers: [],
};

class Bench {
  readonly disk = new SimDisk({ seed: 1 });
  readonly #random = new SimRandom(1);

  static async make(): Promise<Bench> {
    const bench = new Bench();
    await bench.disk.makeDir("/data");
    await bench.disk.syncDir("/");
    return bench;
  }

  begin(given: Partial<BeginOptions & FoundDataDir>) {
    const ports = { disk: this.disk, random: this.#random };
    return begin(ports, PATH, { ...NEW_ALONE, ...given });
  }

  async write(id: number, foundingDigest = NO_DIGEST, name = "n1") {
    const identity = { name, id, foundingDigest, diskId: DISK_ID };
    await writeIdentity(this.disk, PATH, identity);
    return identity;
  }

  identity() {
    return readIdentity(this.disk, PATH);
  }
}

function granting(grant: JoinGrant = GRANT) {
  const calls: number[] = [];
  const join = () => {
    calls.push(1);
    return Promise.resolve(grant);
  };
  return { join, calls };
}

function mustNotJoin(): Promise<JoinGrant> {
  assert.fail("asked to join");
}

Deno.test("begin() founds a cluster alone", async () => {
  const bench = await Bench.make();
  const { identity, beginnings, founding } = await bench.begin({});
  assert.deepEqual([identity.name, identity.id], ["n1", 1]);
  assert.deepEqual(
    identity.foundingDigest,
    foundingDigest(foundingMembers([{ name: "n1", address: "n1:1" }])),
  );
  assert.deepEqual(beginnings.members, [memberOf(1, "n1:1")]);
  assert.equal(beginnings.clusterId, null);
  const { index, term, confState } = founding;
  assert.deepEqual([index, term, confState.voters], [2, 1, [1]]);
  bench.disk.restart("none");
  assert.deepEqual(await bench.identity(), identity, "durably");
});

Deno.test("begin() founds a cluster of three, the same on each", async () => {
  for (const [nth, name] of ["n1", "n2", "n3"].entries()) {
    const bench = await Bench.make();
    const begun = await bench.begin({ name, initialCluster: CLUSTER });
    assert.equal(begun.identity.id, nth + 1);
    assert.deepEqual(begun.identity.foundingDigest, THREE);
    assert.deepEqual(begun.founding.confState.voters, [1, 2, 3]);
    assert.deepEqual(
      begun.beginnings.members,
      [1, 2, 3].map((id) => memberOf(id, `n${id}:1`)),
    );
  }
});

Deno.test("begin() founds nothing under a name nobody gave", async () => {
  const bench = await Bench.make();
  await assert.rejects(
    bench.begin({ name: "n9", initialCluster: CLUSTER }),
    JoinRefusedError,
  );
  assert.equal(await bench.identity(), null);
});

Deno.test("begin() joins a cluster as what it is let in as", async () => {
  const bench = await Bench.make();
  const { join, calls } = granting();
  const begun = await bench.begin({ name: "n9", join });
  assert.equal(calls.length, 1);
  assert.deepEqual([begun.identity.name, begun.identity.id], ["n9", 42]);
  assert.deepEqual(begun.identity.foundingDigest, NO_DIGEST);
  assert.deepEqual(begun.beginnings, {
    members: GRANT.members,
    clusterId: GRANT.clusterId,
  });
  assert.deepEqual([begun.founding.index, begun.founding.term], [0, 0]);
  assert.deepEqual(begun.founding.confState.voters, []);
  bench.disk.restart("none");
  assert.deepEqual(await bench.identity(), begun.identity);
});

Deno.test("begin() is nobody when a join is refused", async () => {
  const bench = await Bench.make();
  const refused = new JoinRefusedError("n9", "no");
  const join = () => Promise.reject(refused);
  await assert.rejects(bench.begin({ name: "n9", join }), refused);
  assert.equal(await bench.identity(), null);
});

Deno.test("begin() joins once more after a start cut short", async () => {
  const bench = await Bench.make();
  const identity = await bench.write(42);
  const { join, calls } = granting();
  const begun = await bench.begin({ join });
  assert.equal(calls.length, 1);
  assert.equal(begun.identity.id, identity.id);
  assert.deepEqual(begun.beginnings.members, GRANT.members);
});

Deno.test("begin() does not join twice as two", async () => {
  const bench = await Bench.make();
  await bench.write(42);
  const { join } = granting({ ...GRANT, id: 43 });
  await assert.rejects(bench.begin({ join }), JoinRefusedError);
  await assert.rejects(bench.begin({}), JoinRefusedError);
  assert.equal((await bench.identity())?.id, 42);
});

Deno.test("begin() asks nobody once it has joined", async () => {
  const bench = await Bench.make();
  const identity = await bench.write(42);
  const begun = await bench.begin({
    join: mustNotJoin,
    hasLog: true,
    storedMembers: [1, 2, 3],
  });
  assert.deepEqual(begun.identity, identity);
  assert.deepEqual(begun.beginnings, { members: [], clusterId: null });
});

for (const hasLog of [true, false]) {
  Deno.test(`begin() goes on as the founder it was, log ${hasLog}`, async () => {
    const bench = await Bench.make();
    const identity = await bench.write(1, THREE);
    const begun = await bench.begin({
      initialCluster: CLUSTER,
      join: mustNotJoin,
      hasLog,
    });
    // Without a log it is another disk: what it promised is gone.
    const { diskId, ...rest } = identity;
    const { diskId: now, ...restNow } = begun.identity;
    assert.deepEqual(restNow, rest);
    assert.equal(equalBytes(now, diskId), hasLog);
    assert.deepEqual(await bench.identity(), begun.identity);
    assert.deepEqual(begun.founding.confState.voters, [1, 2, 3]);
    assert.equal(begun.beginnings.members.length, 3);
  });
}

Deno.test("begin() refuses a data dir of another name", async () => {
  const bench = await Bench.make();
  await bench.write(1, THREE, "n2");
  await assert.rejects(
    bench.begin({ initialCluster: CLUSTER, hasLog: true }),
    WrongNodeError,
  );
});

const LONE: [name: string, voters: number[]][] = [
  ["nothing applied", []],
  ["its only voter applied", [1]],
];

for (const [name, storedMembers] of LONE) {
  Deno.test(`begin() is the lone founder of a log before identities, ${name}`, async () => {
    const bench = await Bench.make();
    const given = { hasLog: true, storedMembers };
    const begun = await bench.begin(given);
    assert.equal(begun.identity.id, 1);
    assert.deepEqual(await bench.identity(), begun.identity);
    assert.deepEqual((await bench.begin(given)).identity, begun.identity);
  });
}

for (const storedMembers of [[1, 2, 3], [2], [1, 2], [42]]) {
  Deno.test(`begin() is nobody beside a log of members ${storedMembers}`, async () => {
    const bench = await Bench.make();
    await assert.rejects(
      bench.begin({ hasLog: true, storedMembers, initialCluster: CLUSTER }),
      IdentityDamagedError,
    );
    assert.equal(await bench.identity(), null);
  });
}

for (
  const [what, given, isRefused] of [
    ["others in --initial-cluster", { initialCluster: CLUSTER }, true],
    ["--join", { join: mustNotJoin }, true],
    ["nothing", {}, false],
  ] as const
) {
  Deno.test(`begin() with a cluster of its own, told of ${what}`, async () => {
    const bench = await Bench.make();
    await bench.write(
      1,
      foundingDigest(foundingMembers([{ name: "n1", address: "n1:1" }])),
    );
    const begun = bench.begin({ ...given, hasLog: true, storedMembers: [1] });
    if (isRefused) await assert.rejects(begun, AlreadyFoundedError);
    else assert.equal((await begun).identity.id, 1);
  });
}

Deno.test("begin() lets a cluster shrunk to one start as it was founded", async () => {
  const bench = await Bench.make();
  await bench.write(1, THREE);
  const options = { initialCluster: CLUSTER, hasLog: true, storedMembers: [1] };
  assert.equal((await bench.begin(options)).identity.id, 1);
});
