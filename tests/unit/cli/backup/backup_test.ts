import assert from "node:assert/strict";
import type { AdminClient } from "../../../../src/admin/client.ts";
import { AdminUnreachableError } from "../../../../src/admin/errors.ts";
import {
  BackupCleartextError,
  BackupDamagedError,
  BackupExistsError,
  BackupKeysMissingError,
  RestoreTargetInUseError,
} from "../../../../src/app/backup/errors.ts";
import type { BackupFacts } from "../../../../src/app/backup/facts.ts";
import type { RestoreOutcome } from "../../../../src/app/backup/restore.ts";
import type { Services } from "../../../../src/cli/services.ts";
import { runIn, type World } from "../fake_services.ts";

const FACTS: BackupFacts = {
  path: "/b/prod.sealkv",
  bytes: 70_123,
  isSealed: true,
  verified: "all",
  clusterId: new Uint8Array(16).fill(0xab),
  clusterName: "prod",
  index: 184_273,
  term: 7,
  clockMs: 1_700_000_000_000,
  members: ["n1", "n2"],
  databases: 1,
  records: 40,
  keys: [{ id: 11, purpose: "storage", keks: ["file:00"] }],
};
const OUTCOME: RestoreOutcome = {
  backup: FACTS,
  dataDir: "/d",
  node: "m1",
  clusterId: new Uint8Array(16).fill(0xcd),
  clusterName: "prod",
  firstIndex: 184_273 + 2 ** 32,
  keys: { storage: 1, raft: 2, state: 3 },
  isSealed: true,
};

async function* pieces(): AsyncGenerator<Uint8Array> {
  yield Uint8Array.of(1, 2, 3);
}

function creating(
  { facts = FACTS, backup = pieces }: {
    readonly facts?: BackupFacts;
    readonly backup?: AdminClient["backup"];
  } = {},
) {
  const asked: unknown[] = [];
  const createBackup: Services["createBackup"] = async (settings, options) => {
    const bytes: number[] = [];
    for await (const piece of options.pieces) bytes.push(...piece);
    asked.push([settings.keks, options.path, bytes]);
    return facts;
  };
  return { asked, world: { createBackup, backup } };
}

Deno.test("backup create keeps what the cluster sends", async () => {
  const { asked, world } = creating();
  const words = ["--out", "/b/prod.sealkv", "--kek", "file:/k"];
  const { code, out, err } = await runIn(world, "backup", "create", ...words);
  assert.deepEqual([code, err], [0, ""]);
  assert.deepEqual(asked, [[["file:/k"], "/b/prod.sealkv", [1, 2, 3]]]);
  assert.deepEqual(out.split("\n"), [
    "made /b/prod.sealkv",
    "cluster   prod abababab-abab-abab-abab-abababababab",
    "state of  entry 184273, term 7, 2023-11-14T22:13:20.000Z",
    "members   n1 n2",
    "records   40, databases 2",
    "bytes     70123, sealed",
    "key       11 storage, under file:00",
    "all of it was read back",
    "",
  ]);
});

Deno.test("backup create says when nobody has opened a sealed backup", async () => {
  const facts = { ...FACTS, verified: "header", records: null } as const;
  const { world } = creating({ facts });
  const { out } = await runIn(world, "backup", "create", "--out", "/b/x y");
  assert.match(out, /^records {3}not counted, databases 2$/m);
  assert.match(out, /sealkv backup verify \S+ --kek URI$/m);
});

Deno.test("backup create --json prints one object", async () => {
  const { world } = creating();
  const words = ["--out", "/b/prod.sealkv", "--json"];
  const { out } = await runIn(world, "backup", "create", ...words);
  assert.deepEqual(JSON.parse(out), {
    ...{ path: "/b/prod.sealkv", bytes: 70_123, sealed: true },
    ...{ verified: "all", cluster: "prod", index: "184273", term: "7" },
    clusterId: "abababab-abab-abab-abab-abababababab",
    clock: "2023-11-14T22:13:20.000Z",
    ...{ members: ["n1", "n2"], databases: 1, records: 40 },
    keys: [{ id: 11, purpose: "storage", keks: ["file:00"] }],
  });
});

Deno.test("backup verify reads the file with the KEKs of this machine", async () => {
  const asked: unknown[] = [];
  const verifyBackup: Services["verifyBackup"] = (settings, path) => {
    asked.push([settings.keks, path]);
    return Promise.resolve(FACTS);
  };
  // A user without a home has backups, too.
  const env = { SEALKV_KEK: "file:/a,file:/b" };
  const words = ["backup", "verify", "/b/prod.sealkv"];
  const { code, out } = await runIn({ verifyBackup, env }, ...words);
  assert.equal(code, 0);
  assert.deepEqual(asked, [[["file:/a", "file:/b"], "/b/prod.sealkv"]]);
  assert.match(out, /^\/b\/prod\.sealkv is whole\ncluster {3}prod /);
  const json = await runIn({ verifyBackup, env }, ...words, "--json");
  assert.equal(JSON.parse(json.out).records, 40);
});

function restoring() {
  const asked: unknown[] = [];
  const restoreBackup: Services["restoreBackup"] = (settings, options) => {
    asked.push([settings.keks, settings.encryptionEnabled, options]);
    return Promise.resolve(OUTCOME);
  };
  return { asked, world: { restoreBackup } };
}

Deno.test("backup restore says what is new, and how it is started", async () => {
  const { asked, world } = restoring();
  const words = ["--data-dir", "/d", "--node", "m1", "--kek", "file:/k"];
  const { code, out, err } = await runIn(
    world,
    ...["backup", "restore", "/b/prod.sealkv", ...words],
    ...["--cluster-name", "drill", "--accept-cleartext-backup"],
  );
  assert.deepEqual([code, err], [0, ""]);
  assert.deepEqual(asked, [[["file:/k"], false, {
    ...{ path: "/b/prod.sealkv", dataDir: "/d", node: "m1" },
    ...{ clusterName: "drill", acceptsCleartext: true },
  }]]);
  assert.deepEqual(out.split("\n"), [
    "restored /b/prod.sealkv into /d: 40 records",
    "a new cluster: prod cdcdcdcd-cdcd-cdcd-cdcd-cdcdcdcdcdcd",
    "not the one of the backup: abababab-abab-abab-abab-abababababab",
    "versionstamps begin above entry 4295151569",
    "data keys drawn anew: storage 1, raft 2, state 3",
    "all records are sealed",
    "start it: sealkv serve --node m1 --data-dir /d --encryption-enabled --kek file:/k",
    "",
  ]);
});

Deno.test("backup restore --json prints one object", async () => {
  const { world } = restoring();
  const words = ["--data-dir", "/d", "--node", "m1", "--json"];
  const { out } = await runIn(world, "backup", "restore", "/b", ...words);
  const { backup, ...rest } = JSON.parse(out);
  assert.equal(backup.index, "184273");
  assert.deepEqual(rest, {
    ...{ dataDir: "/d", node: "m1", cluster: "prod", sealed: true },
    clusterId: "cdcdcdcd-cdcd-cdcd-cdcd-cdcdcdcdcdcd",
    firstIndex: "4295151569",
    keys: { storage: 1, raft: 2, state: 3 },
    start: "sealkv serve --node m1 --data-dir /d --encryption-enabled",
  });
});

const refusing = (error: Error): World => ({
  createBackup: () => Promise.reject(error),
  verifyBackup: () => Promise.reject(error),
  restoreBackup: () => Promise.reject(error),
  backup: pieces,
});
const KEYS = { keyId: 11, wrappedUnder: ["file:00"], given: [] };
const CREATE = ["create", "--out", "/b"];
const VERIFY = ["verify", "/b"];
const RESTORE = ["restore", "/b", "--data-dir", "/d", "--node", "m1"];

const WRONG: [
  words: readonly string[],
  world: World,
  code: number,
  name: string,
][] = [
  [["create"], {}, 2, "CLI_USAGE"],
  [["create", "--out"], {}, 2, "CLI_USAGE"],
  [[...CREATE, "--timeout", "soon"], {}, 2, "CLI_USAGE"],
  [[...CREATE, "--kek", ""], {}, 78, "APP_CONFIG_INVALID"],
  [CREATE, refusing(new BackupExistsError("/b")), 3, "APP_BACKUP_EXISTS"],
  [
    CREATE,
    refusing(new AdminUnreachableError(["http://a"])),
    5,
    "ADMIN_UNREACHABLE",
  ],
  [["verify"], {}, 2, "CLI_USAGE"],
  [[...VERIFY, "/c"], {}, 2, "CLI_USAGE"],
  [[...VERIFY, "--fix"], {}, 2, "CLI_USAGE"],
  [
    VERIFY,
    refusing(new BackupDamagedError("/b", { fault: "wrong tag", offset: 9 })),
    74,
    "APP_BACKUP_DAMAGED",
  ],
  [
    VERIFY,
    refusing(new BackupKeysMissingError("/b", KEYS)),
    3,
    "APP_BACKUP_KEYS_MISSING",
  ],
  [["restore", "--data-dir", "/d", "--node", "m1"], {}, 2, "CLI_USAGE"],
  [["restore", "/b", "--data-dir", "/d"], {}, 2, "CLI_USAGE"],
  [
    ["restore", "/b", "--data-dir", "/d", "--node", "M 1"],
    {},
    78,
    "APP_CONFIG_INVALID",
  ],
  [
    [...RESTORE, "--cluster-name", "no good"],
    {},
    78,
    "APP_CONFIG_INVALID",
  ],
  [
    RESTORE,
    refusing(new RestoreTargetInUseError("/d", "NODE")),
    3,
    "APP_RESTORE_TARGET_IN_USE",
  ],
  [
    RESTORE,
    refusing(new BackupCleartextError("/b")),
    3,
    "APP_BACKUP_CLEARTEXT",
  ],
];
for (const [words, world, expected, name] of WRONG) {
  Deno.test(`backup ${words.join(" ")} ends with ${expected} ${name}`, async () => {
    const { code, out, err } = await runIn(world, "backup", ...words);
    assert.deepEqual([code, out], [expected, ""], err);
    assert.match(err, new RegExp(`^error\\[${name}\\]: `, "m"));
    assert.match(err, /^ *(remedy|help|try): \S+/m);
    const json = await runIn(world, "backup", ...words, "--json");
    if (words.at(-1) !== "--out") {
      assert.equal(JSON.parse(json.err).error.code, name);
    }
  });
}
