/*
 * Goal: a change of encryption that cannot be is refused by its code, says on
 * which member what to do, changes nothing on any, and holds up no client; what
 * it says to do helps.
 * Method: real nodes that lack the flag, the KEK, or are down, and real
 * commands. Before and after each, all that members say of encryption, and
 * their sidecars, are compared; the leader's audit log has one line more.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { callAdmin } from "./admin_call.ts";
import { ClusterLoad } from "./cluster_load.ts";
import { HAS_CLUSTERS, withCluster } from "./cluster_process.ts";
import { EncryptedCluster } from "./encrypted_cluster.ts";
import { CALM, Trial, VERY_PATIENT } from "./encryption_trial.ts";
import { ENCRYPTION_ON, kekArgs, type KekFile, KekFiles } from "./kek_files.ts";
import { until } from "./until.ts";

const EXIT_BLOCKED = 3;
const EXIT_STALE = 6;
const EXIT_CONFIG = 78;
const ASKED_MS_MAX = 30_000;
const ROTATE = ["rotate-dek", "--purpose", "storage"];
const ROTATE_RPC = "EncryptionAdmin/RotateDek";
const STORAGE = { purpose: "KEY_PURPOSE_STORAGE" };
/** Nobody has the flag, then not all have what it takes. */
async function beforeThereAreKeys(
  trial: Trial,
  { right, other }: { readonly right: KekFile; readonly other: KekFile },
): Promise<void> {
  const { encrypted, cluster } = trial;
  const closed = {
    code: "NODE_ENCRYPTION_GATE_CLOSED",
    exit: EXIT_BLOCKED,
    says: [
      "encryption is off on this node",
      "this node has no KEK",
      "start it with --encryption-enabled and --kek",
      "sealkv kek generate --out FILE",
    ],
  };
  await trial.refuses(["bootstrap"], closed);
  await trial.refusesCall([ROTATE_RPC, STORAGE], closed.code);
  await trial.refusesCall(["EncryptionAdmin/RewrapDeks", {}], closed.code);

  await cluster.stop("n1");
  await encrypted.refusesToStart("n1", [ENCRYPTION_ON], {
    code: "NODE_KEK_REQUIRED",
    exit: EXIT_CONFIG,
    says: ["--kek"],
  });
  const noFlag = ["--kek", `file:${right.path}`];
  cluster.setArgs("n1", noFlag);
  await cluster.start("n1");
  await encrypted.lead("n1");
  const end = await encrypted.run("encryption", "bootstrap");
  match(end.stderr, /GATE_CLOSED.*: encryption is off on this node$/m);

  await trial.restart("n1", kekArgs(right));
  await trial.restart("n2", kekArgs(right));
  await encrypted.lead("n1");
  const unborn = { code: "NODE_NOT_BOOTSTRAPPED", exit: EXIT_BLOCKED };
  const says = ["sealkv encryption bootstrap"];
  await trial.refuses(ROTATE, { ...unborn, says });
  await trial.refuses(["rewrap-deks", "--to", right.id], { ...unborn, says });

  const unproven = { code: "NODE_CAPABILITY_UNPROVEN", exit: EXIT_BLOCKED };
  await trial.refuses(["bootstrap"], {
    ...unproven,
    says: ["n3 (flag-missing", /n3: Restart "n3" with .*--encryption-enabled/],
  });
  await trial.restart("n3", kekArgs(other));
  await trial.refuses(["bootstrap"], {
    ...unproven,
    says: ["n3 (kek-unproven", /n3: Restart "n3" with a --kek that opens/],
  });
  await cluster.kill("n3");
  await trial.refuses(["bootstrap"], {
    ...unproven,
    says: ["n3 (unreachable", /n3: Start "n3"/],
  });
  cluster.setArgs("n3", kekArgs(right));
  await cluster.start("n3");
  await cluster.agreed();
}

/** Plans that are stale, and one that is not. */
async function plans(trial: Trial): Promise<void> {
  const { encrypted } = trial;
  const stale = { code: "NODE_PLAN_STALE", exit: EXIT_STALE };
  await trial.refuses(["bootstrap", "--plan", "0123456789abcdef"], stale);
  let hash = "";
  await trial.changesNothing(async () => {
    const added = await encrypted.audited(async () => {
      const planned = await encrypted.change("bootstrap", "--dry-run");
      equal(planned.changed, false);
      hash = planned.plan.hash;
    });
    equal(added.size, 0, "dry runs are not kept");
  });
  const { changed, index } = await encrypted.change(
    ...["bootstrap", "--plan", hash],
  );
  ok(changed);
  equal((await encrypted.agreedByStatus()).stateIndex, Number(index));
  await trial.refuses([...ROTATE, "--plan", hash], stale);
  await trial.changesNothing(async () => {
    const again = await encrypted.change("bootstrap");
    deepEqual([again.changed, again.index], [false, index]);
  });
}

/** KEKs that the leader lacks, or a member. */
async function wrongKeks(
  trial: Trial,
  { right, other }: { readonly right: KekFile; readonly other: KekFile },
): Promise<void> {
  const { encrypted } = trial;
  const unknown = { code: "KEYS_KEK_UNKNOWN", exit: EXIT_BLOCKED };
  await trial.refuses(["rewrap-deks", "--to", "file:0000000000000000"], {
    ...unknown,
    says: ["file:0000000000000000", right.id, "sealkv encryption status"],
  });
  await trial.restart("n2", kekArgs(right, other));
  await trial.restart("n1", kekArgs(right, other));
  await encrypted.lead("n1");
  await encrypted.agreed();
  await trial.refuses(["rewrap-deks", "--to", other.id], {
    code: "NODE_CAPABILITY_UNPROVEN",
    exit: EXIT_BLOCKED,
    says: ["n3 (kek-unproven", other.id, /n3: Restart "n3" with a --kek/],
  });
  const locked = await encrypted.runLocal(
    ...["encryption", "resync-sidecar", "--kek", `file:${right.path}`],
    ...["--data-dir", trial.cluster.place("n2").dataDir],
  );
  equal(locked.code, EXIT_CONFIG, locked.stderr);
  match(locked.stderr, /^error\[NODE_DATA_DIR_LOCKED\]: /m);
  // n3 opens one of the two wraps, so it takes them; as leader it makes none.
  await encrypted.change("rewrap-deks", "--to", right.id, "--to", other.id);
  await encrypted.agreed();
  await encrypted.lead("n3");
  await trial.refuses(ROTATE, { ...unknown, says: [other.id] });
  await trial.restart("n3", kekArgs(other, right));
  await encrypted.agreed();
}

/** A member that is down holds up a rewrap, and no rotation. */
async function withoutMember(trial: Trial, right: KekFile): Promise<void> {
  const { encrypted, cluster } = trial;
  await encrypted.lead("n1");
  await cluster.kill("n3");
  await trial.refuses(["rewrap-deks", "--to", right.id], {
    code: "NODE_CAPABILITY_UNPROVEN",
    exit: EXIT_BLOCKED,
    says: ["n3 (unreachable"],
  });
  const added = await encrypted.audited(async () => {
    const { changed, unreachable } = await encrypted.change(...ROTATE);
    deepEqual([changed, unreachable], [true, ["n3"]]);
  });
  const [line] = added.get("n1")!;
  deepEqual([line!.result, line!.changed, line!.code], ["done", true, ""]);
  await encrypted.agreedByStatus();
  await cluster.start("n3");
  await cluster.agreed();
  equal((await encrypted.agreed()).stateIndex, Number(line!.index));
}

/**
 * A program that gives the KEK, or fails, or hangs until it is told: the node
 * refuses to start, or waits; the others go on.
 */
async function programs(trial: Trial, right: KekFile): Promise<void> {
  const { encrypted, cluster } = trial;
  const script = `${right.path}.sh`;
  const [fails, hangs, asked] = ["fails", "hangs", "asked"]
    .map((name) => `${script}.${name}`) as [string, string, string];
  await Deno.writeTextFile(
    script,
    `#!/bin/sh
if [ -e '${fails}' ]; then echo 'no token' >&2; exit 3; fi
if [ -p '${hangs}' ]; then : > '${asked}'; read -r _ < '${hangs}'; fi
exec cat '${right.path}'
`,
    { mode: 0o700 },
  );
  const args = [ENCRYPTION_ON, "--kek", `exec:${script}`];
  equal(await cluster.stop("n3"), 0);
  await Deno.writeTextFile(fails, "");
  await encrypted.refusesToStart("n3", args, {
    code: "KEYS_KEK_UNAVAILABLE",
    exit: EXIT_CONFIG,
    says: [`exec:${script}`, "the program ended with 3"],
  });
  await Deno.remove(fails);
  await trial.load.progress(1);

  const made = await new Deno.Command("mkfifo", { args: [hangs] }).output();
  ok(made.success);
  cluster.setArgs("n3", args);
  const node = await cluster.launch("n3");
  await until("the program was asked", ASKED_MS_MAX, () => isThere(asked));
  await trial.load.progress(1);
  equal(await cluster.status("n3"), null, "nothing listens yet");
  await Deno.writeTextFile(hangs, "go on\n");
  await node.ready();
  await cluster.agreed();
  await encrypted.agreed();
  const { changed, unreachable } = await encrypted.change(...ROTATE);
  deepEqual([changed, unreachable], [true, []]);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** While one change waits for a member that hangs, no other begins. */
async function twoAtOnce(trial: Trial): Promise<void> {
  const { encrypted, cluster } = trial;
  const underWay = "NODE_CHANGE_UNDER_WAY";
  await encrypted.lead("n1");
  const admin = cluster.admin("n1");
  const before = await encrypted.agreed();
  const rotate = (purpose: string) =>
    callAdmin(admin, ROTATE_RPC, { purpose: `KEY_PURPOSE_${purpose}` });
  cluster.pause("n3");
  const added = await encrypted.audited(async () => {
    const both = [rotate("STORAGE"), rotate("RAFT")];
    const loser = await Promise.race(both);
    equal(loser.reason, underWay, JSON.stringify(loser));
    const others = await Promise.all([
      callAdmin(admin, "EncryptionAdmin/RewrapDeks"),
      callAdmin(admin, "ClusterAdmin/AddMember", {
        name: "n9",
        peerAddress: "127.0.0.9:4513",
      }),
    ]);
    deepEqual(others.map(({ reason }) => reason), [underWay, underWay]);
    const winner = (await Promise.all(both)).find((one) => one !== loser)!;
    const { changed, unreachable } = winner.reply["change"] as Fields;
    deepEqual([changed, unreachable], [true, ["n3"]]);
  });
  cluster.resume("n3");
  deepEqual(
    added.get("n1")!.map(({ code }) => code).toSorted(),
    ["", underWay, underWay, underWay],
  );
  await cluster.agreed();
  const after = await encrypted.agreed();
  equal(after.keys.length, before.keys.length + 1);
  equal((await cluster.status("n1"))?.members.length, 3);
  await trial.load.progress(1);
}

type Fields = Readonly<Record<string, unknown>>;

/** What comes later on the ladder, and why not yet. */
const TOO_EARLY: readonly (readonly [string, string])[] = [
  ["EnableStorageEnvelope", "NODE_CONFIRMATION_WRONG"],
  ["EnableRaftEnvelope", "NODE_PHASE_TOO_LOW"],
  ["SealCleartext", "NODE_PHASE_TOO_LOW"],
  ["StartRewrite", "NODE_PHASE_TOO_LOW"],
  ["PauseRewrite", "NODE_REWRITE_NOT_STARTED"],
  ["ResumeRewrite", "NODE_REWRITE_NOT_STARTED"],
  ["Scrub", "NODE_PHASE_TOO_LOW"],
];

/** What curl may send. */
async function rawCalls(trial: Trial): Promise<void> {
  const { cluster } = trial;
  for (const [name, code] of TOO_EARLY) {
    await trial.refusesCall([`EncryptionAdmin/${name}`, {}], code);
  }
  await trial.refusesCall(
    ["EncryptionAdmin/RetireDek", { keyId: 1 }],
    "NODE_KEY_NOT_RETIRABLE",
  );
  const invalid = "ADMIN_REQUEST_INVALID";
  const wrong: readonly (readonly [string, unknown])[] = [
    [ROTATE_RPC, {}],
    [ROTATE_RPC, { purpose: "KEY_PURPOSE_STATE" }],
    [ROTATE_RPC, { ...STORAGE, accept: ["anything"] }],
    ["EncryptionAdmin/Bootstrap", { planHash: "x" }],
    ["EncryptionAdmin/RewrapDeks", { keks: [""] }],
    ["EncryptionAdmin/RewrapDeks", { keks: ["a", "a"] }],
    ["EncryptionAdmin/RetireDek", {}],
  ];
  for (const call of wrong) await trial.refusesCall(call, invalid);
  // Its full node id ends in the 16 bits of that of "n1".
  const colliding = { name: "m24925", peerAddress: "127.0.0.9:4513" };
  await trial.refusesCall(
    ["ClusterAdmin/AddMember", colliding],
    "NODE_ID_COLLISION",
  );
  await trial.changesNothing(async () => {
    const added = await trial.encrypted.audited(async () => {
      const admin = cluster.admin(await cluster.leader());
      for (const rpc of ["Bootstrap", "RotateDek", "GetEncryptionState"]) {
        for (const token of ["", "another-admin-token"]) {
          const answer = await callAdmin(
            admin,
            `EncryptionAdmin/${rpc}`,
            {},
            token,
          );
          deepEqual(
            [answer.status, answer.reason],
            [401, "ADMIN_TOKEN_REJECTED"],
          );
        }
      }
    });
    equal(added.size, 0, "whoever has no token writes no line");
  });
  await garbageChallenge(trial);
}

/** A member says what it is to whoever asks, and proves it to none of them. */
async function garbageChallenge(trial: Trial): Promise<void> {
  const { reply } = await trial.encrypted.ask(
    "EncryptionAdmin/GetEncryptionState",
  );
  const clusterId = String(reply["clusterId"]).replaceAll("-", "");
  const bytes = Uint8Array.fromHex(clusterId).toBase64();
  const { kekIds } = reply["own"] as { readonly kekIds: readonly string[] };
  const garbage = crypto.getRandomValues(new Uint8Array(60)).toBase64();
  const challenges = kekIds.map((kek) => ({ kek, wrapped: garbage }));
  for (const target of ["1", "18446744073709551615"]) {
    const { status, reply } = await trial.encrypted.ask(
      "EncryptionAdmin/GetCapability",
      { clusterId: bytes, term: "3", target, challenges },
    );
    equal(status, 200, JSON.stringify(reply));
    ok(String(reply["statement"]).length > 0);
    equal(reply["proof"], undefined, "there is no proof");
  }
}

Deno.test({
  name: "changes of encryption that cannot be are refused and change nothing",
  ignore: !HAS_CLUSTERS,
  async fn() {
    await using files = await KekFiles.open();
    const right = await files.make("right");
    const other = await files.make("other");
    await withCluster({ args: VERY_PATIENT }, async (cluster) => {
      await using load = await ClusterLoad.start(cluster, CALM);
      const encrypted = new EncryptedCluster(cluster);
      const trial = new Trial(encrypted, load);
      await beforeThereAreKeys(trial, { right, other });
      await plans(trial);
      await wrongKeks(trial, { right, other });
      await withoutMember(trial, right);
      await programs(trial, right);
      await twoAtOnce(trial);
      await rawCalls(trial);
      await encrypted.change(...ROTATE);
      await encrypted.agreedByStatus();
      await load.allGoOn();
      await load.verify();
      encrypted.assertNoHalt();
      await encrypted.assertMetrics();
      await encrypted.assertShowsNone(files.all.map(({ bytes }) => bytes));
    });
  },
});
