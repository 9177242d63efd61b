/*
 * Goal: every step of the rollout, and of the life after, that cannot be is
 * refused by its code and exit code, changes nothing, and what its remedy says
 * helps.
 * Method: real nodes that lack the KEK, or are down or halted, real commands by
 * an operator who errs in the order of the ladder, and clients that write all
 * the time.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { callAdmin } from "./admin_call.ts";
import { runSealkv } from "./cli_process.ts";
import { ClusterLoad } from "./cluster_load.ts";
import {
  type ClusterProcess,
  HAS_CLUSTERS,
  withCluster,
} from "./cluster_process.ts";
import {
  assertReport,
  type AuditLine,
  type EncryptedCluster,
  type Refusal,
} from "./encrypted_cluster.ts";
import { CALM, VERY_PATIENT } from "./encryption_trial.ts";
import { flip } from "./damage.ts";
import { kekArgs, type KekFile, KekFiles } from "./kek_files.ts";
import { openKv } from "./open_kv.ts";
import {
  CLUSTER_NAME,
  ENABLE_RAFT,
  ENABLE_STORAGE,
  NAMED,
  retire,
  REWRITE,
  Rollout,
  rotate,
  SCRUB,
  SEAL_CLEARTEXT,
  type Step,
} from "./rollout.ts";
import { until } from "./until.ts";

const EXIT = {
  usage: 2,
  blocked: 3,
  unconfirmed: 4,
  stale: 6,
  unfinished: 7,
  disk: 74,
};
const RECORDS = 20;
const RECORD_BYTES = 8_000;
const WRONG_PLAN = ["--plan", "0123456789abcdef"];
const STATE_KEY_USE = /state/;
const HISTORY_MS_MAX = 10_000;
/** Until then, as a plan names it: counted from now it is another plan. */
const DWELL_UNTIL = "2099-01-01T00:00:00Z";

/** Records of before: at the lowest rate their rewrite takes long. */
async function fill(url: string): Promise<void> {
  using kv = await openKv(url);
  const bytes = new Uint8Array(RECORD_BYTES);
  for (let i = 0; i < RECORDS; i += 1) await kv.set(["before", i], bytes);
}

interface HistoryEvent {
  readonly index: string;
  readonly result: string;
  readonly detail: string;
}

/** One line that says what was asked for and why it was not. */
function assertAudited(
  audited: readonly AuditLine[],
  { step, code }: { readonly step: Step; readonly code: string },
): void {
  const lines = audited.map((line) =>
    [line.code, line.result, line.changed, line.index] as const
  );
  deepEqual(lines, [[code, "refused", false, "0"]], step.join(" "));
}

/** An operator who errs; clients are served all the time. */
class Errors {
  readonly rollout: Rollout;
  readonly load: ClusterLoad;

  constructor(rollout: Rollout, load: ClusterLoad) {
    this.rollout = rollout;
    this.load = load;
  }

  get cluster(): ClusterProcess {
    return this.rollout.cluster;
  }

  get encrypted(): EncryptedCluster {
    return this.rollout.encrypted;
  }

  /**
   * Refused, with a remedy, and nothing about encryption has changed. What the
   * leader refused is in its audit log and in the cluster's history.
   */
  async refuses(
    step: Step,
    code: string,
    { exit = EXIT.blocked, says = [] }: Partial<Refusal> = {},
  ): Promise<void> {
    const { encrypted, load } = this;
    const said = step.join(" ");
    await encrypted.agreed();
    const before = await encrypted.snapshot();
    const rollout = await this.#rolloutState();
    const last = (await this.#history()).at(-1)?.index ?? "0";
    const audited = await encrypted.auditedByLeader(() =>
      encrypted.refuses(step, { code, exit, says })
    );
    deepEqual(await encrypted.snapshot(), before, said);
    equal(await this.#rolloutState(), rollout, said);
    if (code.startsWith("NODE_")) {
      assertAudited(audited, { step, code });
      await this.#isInHistory(code, last);
    } else deepEqual(audited, [], said);
    await load.progress(1);
  }

  /** The one event after that of entry `last` is of this refusal. */
  async #isInHistory(code: string, last: string): Promise<void> {
    const events = await until(
      "the history has it",
      HISTORY_MS_MAX,
      async () => {
        const events = (await this.#history())
          .filter(({ index }) => BigInt(index) > BigInt(last));
        return events.length > 0 ? events : null;
      },
    );
    deepEqual(
      events.map(({ result, detail }) => [result, detail]),
      [["ROLLOUT_RESULT_REFUSED", code]],
    );
  }

  async #history(): Promise<readonly HistoryEvent[]> {
    const { reply } = await this.encrypted.ask("EncryptionAdmin/ListEvents");
    return (reply["events"] ?? []) as readonly HistoryEvent[];
  }

  /** The job and the dwell. */
  async #rolloutState(): Promise<string> {
    const { reply } = await this.encrypted.ask("EncryptionAdmin/GetRollout");
    return JSON.stringify(reply);
  }

  /** `task` runs while the member is down. */
  async without(name: string, task: () => Promise<void>): Promise<void> {
    await this.cluster.kill(name);
    await task();
    await this.cluster.start(name);
    await this.cluster.agreed();
  }
}

/** Nothing is sealed yet: only the first step is open. */
async function phase0(errors: Errors, [kek, other]: readonly KekFile[]) {
  const { rollout, encrypted, cluster } = errors;
  await encrypted.lead("n1");
  const says = ["`sealkv encryption enable-storage-envelope`"];
  for (const step of [["rewrite"], SEAL_CLEARTEXT, ENABLE_RAFT, SCRUB]) {
    await errors.refuses(step as Step, "NODE_PHASE_TOO_LOW", { says });
  }
  await errors.refuses(retire(7), "NODE_NOT_BOOTSTRAPPED");
  for (const flag of ["--pause", "--resume"]) {
    const says = ["`sealkv encryption rewrite`"];
    const code = "NODE_REWRITE_NOT_STARTED";
    await errors.refuses(["rewrite", flag], code, { says });
  }
  const disabled = await encrypted.runLocal("encryption", "disable");
  equal(disabled.code, EXIT.blocked);
  assertReport(disabled.stderr, "NODE_DISABLE_REFUSED", ["sealkv kv export"]);

  const unproven = "NODE_CAPABILITY_UNPROVEN";
  await errors.refuses(ENABLE_STORAGE, unproven, {
    says: ["n3 (flag-missing", /n3: Restart "n3" with .*--encryption-enabled/],
  });
  await encrypted.restart("n3", kekArgs(other!));
  await encrypted.lead("n1");
  await errors.refuses(ENABLE_STORAGE, unproven, {
    says: ["n3 (kek-unproven", /n3: Restart "n3" with a --kek/],
  });
  await encrypted.restart("n3", kekArgs(kek!));
  await errors.without("n2", async () => {
    await errors.refuses(ENABLE_STORAGE, unproven, {
      says: ["n2 (unreachable", /n2: Start "n2"/],
    });
  });
  await unconfirmed(errors);
  await stalePlan(errors, ENABLE_STORAGE);
  await encrypted.change(...ENABLE_STORAGE);
  equal((await rollout.status()).phase, 1);
  ok(cluster.running.length === 3);
}

/** Without the name, with another one, and past the command line's own look. */
async function unconfirmed(errors: Errors): Promise<void> {
  const code = "CLI_UNCONFIRMED";
  const [command] = ENABLE_STORAGE;
  const exit = EXIT.unconfirmed;
  await errors.refuses([command], code, { exit, says: [CLUSTER_NAME] });
  await errors.refuses([command, "--confirm", "prod-eu-2"], code, {
    exit,
    says: ["prod-eu-2", `--confirm ${CLUSTER_NAME}`],
  });
  const { reason, remedy } = await errors.encrypted.ask(
    "EncryptionAdmin/EnableStorageEnvelope",
    { confirm: "prod-eu-2" },
  );
  equal(reason, "NODE_CONFIRMATION_WRONG");
  ok(remedy.includes(CLUSTER_NAME), remedy);
}

/** A plan that is none, then the one that a dry run prints. */
async function stalePlan(errors: Errors, step: Step): Promise<void> {
  const { rollout } = errors;
  await errors.refuses([...step, ...WRONG_PLAN], "NODE_PLAN_STALE", {
    exit: EXIT.stale,
    says: ["--dry-run"],
  });
  const planned = await rollout.give([...step, "--dry-run", "--json"]);
  equal(planned.code, 0, planned.stderr);
  const { plan, changed } = JSON.parse(planned.stdout);
  equal(changed, false);
  match(plan.hash, /^[0-9a-f]{16}$/);
  await rollout.encrypted.change(...step, "--plan", plan.hash);
}

/** Records of before are cleartext still; the operator asked for time. */
async function phase1(errors: Errors): Promise<void> {
  const { rollout, encrypted } = errors;
  await errors.refuses(ENABLE_RAFT, "NODE_CLEARTEXT_UNLOCKED", {
    says: ["rewrite --follow", "seal-cleartext", "--accept-unrewritten"],
  });
  await errors.refuses(SEAL_CLEARTEXT, "NODE_CLEARTEXT_REMAINS", {
    says: [/"n1" has \d+ cleartext records/, "`sealkv encryption rewrite --fo"],
  });
  await errors.refuses(SCRUB, "NODE_PHASE_TOO_LOW", {
    says: ["`sealkv encryption enable-raft-envelope`"],
  });
  await encrypted.change("rewrite", "--rate", "1KiB");
  await encrypted.change("rewrite", "--pause");
  const waits = await rollout.give(["rewrite", "--resume", "--wait", "1s"]);
  equal(waits.code, EXIT.unfinished, waits.stderr);
  assertReport(waits.stderr, "CLI_UNFINISHED", [
    "`sealkv encryption rewrite --resume --follow` looks on again",
  ]);
  await encrypted.change("rewrite", "--resume", "--rate", "0");
  await rollout.take(REWRITE);

  await encrypted.change("dwell", "--for", "1h");
  const early = "NODE_DWELL_NOT_OVER";
  const says = ["`sealkv encryption dwell --end`", "--accept-short-dwell"];
  await errors.refuses(SEAL_CLEARTEXT, early, { says });
  await errors.refuses([...ENABLE_RAFT, "--accept-unrewritten"], early, {
    says,
  });
  await errors.without("n3", async () => {
    const step: Step = [...SEAL_CLEARTEXT, "--accept-short-dwell"];
    const says = ['"n3"', "`sealkv status`"];
    await errors.refuses(step, "NODE_MEMBER_SILENT", { says });
    const verify = await encrypted.run(
      ...["encryption", "status", "--verify"],
    );
    equal(verify.code, EXIT.unfinished, verify.stderr);
    assertReport(verify.stderr, "CLI_UNFINISHED", ["n3", "sealkv status"]);
  });
  await encrypted.change("dwell", "--end");
  await stalePlan(errors, ["dwell", "--until", DWELL_UNTIL]);
  await encrypted.change("dwell", "--end");
}

/** The log before the lock, as one may who accepts it; then too early a scrub. */
async function phase2(errors: Errors): Promise<void> {
  const { rollout, encrypted } = errors;
  await errors.without("n2", async () => {
    const step: Step = [...ENABLE_RAFT, "--accept-unrewritten"];
    await errors.refuses(step, "NODE_CAPABILITY_UNPROVEN", {
      says: ["n2 (unreachable", /n2: Start "n2"/],
    });
  });
  await rollout.take([...ENABLE_RAFT, "--accept-unrewritten"]);
  await errors.refuses(SCRUB, "NODE_PHASE_TOO_LOW", {
    says: ["`sealkv encryption seal-cleartext`"],
  });
  await encrypted.change(...SEAL_CLEARTEXT);
  await errors.refuses(["scrub", "--node", "n9"], "NODE_MEMBER_UNKNOWN");
  await errors.without("n3", async () => {
    await errors.refuses(SCRUB, "NODE_MEMBER_SILENT", { says: ['"n3"'] });
  });
  await rollout.take(SCRUB);
  const again = await encrypted.change(...ENABLE_RAFT);
  equal(again.changed, false);
}

/** Keys that are active, in use, unknown, or of another purpose. */
async function retirements(errors: Errors): Promise<void> {
  const { rollout, encrypted } = errors;
  const { storage, raft } = await rollout.activeKeys();
  const { keys } = await rollout.status();
  const state = keys.find(({ purpose }) => purpose === "state")!.id;
  const fixed = "NODE_KEY_NOT_RETIRABLE";
  for (const [id, purpose] of [[storage, "storage"], [raft, "raft"]] as const) {
    const says = [`\`sealkv encryption rotate-dek --purpose ${purpose}\``];
    await errors.refuses(retire(id), fixed, { says });
  }
  await errors.refuses(retire(state), fixed, { says: [STATE_KEY_USE] });
  await errors.refuses(retire(12_345), fixed, { says: ["no such key"] });

  // The job of before would seal anew by itself.
  await encrypted.change("rewrite", "--resume", "--rate", "1KiB");
  await encrypted.change("rewrite", "--pause");
  await encrypted.change(...rotate("storage"));
  await errors.refuses(retire(storage), "NODE_KEY_IN_USE", {
    says: [/"n1" has \d+ records under it/, "`sealkv encryption rewrite --fo"],
  });
  await rollout.take(REWRITE);
  await errors.without("n2", async () => {
    const says = ['"n2"'];
    await errors.refuses(retire(storage), "NODE_MEMBER_SILENT", { says });
  });
  await encrypted.change("dwell", "--for", "1h");
  await errors.refuses(retire(storage), "NODE_DWELL_NOT_OVER");
  await encrypted.change(...retire(storage), "--accept-short-dwell");
  await encrypted.change("dwell", "--end");
  const again = await encrypted.change(...retire(storage));
  equal(again.changed, false);
  await encrypted.change(...rotate("raft"));
  await rollout.take(retire(raft));
  deepEqual(await rollout.replacedKeys(), []);
}

/** While a step waits for a member that is halted, no other begins. */
async function twoAtOnce(errors: Errors): Promise<void> {
  const { cluster, encrypted, rollout } = errors;
  await encrypted.lead("n1");
  const admin = cluster.admin("n1");
  cluster.pause("n3");
  const rotation = (purpose: string) =>
    callAdmin(admin, "EncryptionAdmin/RotateDek", {
      purpose: `KEY_PURPOSE_${purpose}`,
    });
  const both = [rotation("STORAGE"), rotation("RAFT")];
  const loser = await Promise.race(both);
  equal(loser.reason, "NODE_CHANGE_UNDER_WAY", JSON.stringify(loser));
  match(loser.remedy, /Wait a moment, then give the same command again/);
  await Promise.all(both);
  cluster.resume("n3");
  await cluster.agreed();
  await rollout.take(rotate("raft"));
}

/** Backups of a cluster that seals. */
async function backups(
  errors: Errors,
  [kek, other]: readonly KekFile[],
  dir: string,
): Promise<void> {
  const { encrypted } = errors;
  const file = `${dir}/backup`;
  const dataDir = `${dir}/restored`;
  const refuses = async (
    words: readonly string[],
    code: string,
    exit: number,
  ) => {
    const end = await runSealkv(words);
    equal(end.code, exit, `${words.join(" ")}: ${end.stdout}${end.stderr}`);
    assertReport(end.stderr, code);
  };
  const create = ["backup", "create", "--out", file];
  equal((await encrypted.run(...create)).code, 0);
  const twice = await encrypted.run(...create);
  equal(twice.code, EXIT.blocked);
  assertReport(twice.stderr, "APP_BACKUP_EXISTS");
  const verify = ["backup", "verify", file];
  const restore = [
    ...["backup", "restore", file, "--data-dir", dataDir, "--node", "m1"],
  ];
  const [own, wrong] = [kek!, other!].map(({ path }) => [
    ...["--kek", `file:${path}`],
  ]) as [string[], string[]];
  const both = (keks: readonly string[], code: string, exit: number) =>
    Promise.all(
      [verify, restore].map((words) =>
        refuses([...words, ...keks], code, exit)
      ),
    );
  for (const keks of [[], wrong]) {
    await both(keks, "APP_BACKUP_KEYS_MISSING", EXIT.blocked);
  }
  const { size } = await Deno.stat(file);
  await flip(file, size - 9);
  await both(own, "APP_BACKUP_DAMAGED", EXIT.disk);
  await flip(file, size - 9);
  equal((await runSealkv([...verify, ...own])).code, 0);
  equal((await runSealkv([...restore, ...own])).code, 0);
  const inUse = "APP_RESTORE_TARGET_IN_USE";
  await refuses([...restore, ...own], inUse, EXIT.blocked);
}

/** A new member has no vote before it has proven; then it has. */
async function candidate(errors: Errors, kek: KekFile): Promise<void> {
  const { cluster, encrypted } = errors;
  cluster.addPlace("n4", { args: VERY_PATIENT });
  const added = await encrypted.run(
    ...["member", "add", "n4", "--peer", cluster.peer("n4"), "--no-wait"],
  );
  equal(added.code, 0, added.stderr);
  const promote = async () => {
    const end = await encrypted.run("member", "promote", "n4");
    equal(end.code, EXIT.blocked, `${end.stdout}${end.stderr}`);
    return end.stderr;
  };
  const absent = await promote();
  assertReport(absent, /\[([A-Z_]+)\]/.exec(absent)![1]!);
  match(absent, /NODE_MEMBER_(?:UNPROVEN|BEHIND)/);
  cluster.setArgs("n4", [...VERY_PATIENT, ...kekArgs(kek)]);
  const args = ["--join", encrypted.admins];
  await cluster.start("n4", { isFounding: false, args });
  await cluster.statusThat(
    await cluster.leader(),
    'has "n4" as a voter',
    ({ members }) =>
      members.some(({ name, isVoter }) => name === "n4" && isVoter),
  );
}

/** Commands that are wrong by themselves. */
async function usage({ rollout }: Errors): Promise<void> {
  const wrong: readonly Step[] = [
    ["dwell"],
    ["dwell", "--for", "1h", "--end"],
    ["retire-dek", "--key-id", "0"],
    ["retire-dek"],
    ["rewrite", "--pause", "--rate", "8MiB"],
    ["rewrite", "--rate", "1"],
    ["rotate-dek", "--purpose", "state"],
    ["seal-cleartext", "--plan", "x"],
    ["enable-storage"],
  ];
  await Promise.all(wrong.map(async (step) => {
    const { code, stderr } = await rollout.give(step);
    equal(code, EXIT.usage, `${step}: ${stderr}`);
    match(stderr, /^error\[CLI_USAGE\]: /m, `${step}`);
    match(stderr, /^remedy: \S/m, `${step}`);
  }));
}

Deno.test({
  name:
    "every step of a rollout that cannot be is refused, and its remedy helps",
  ignore: !HAS_CLUSTERS,
  async fn(t) {
    await using files = await KekFiles.open();
    const keks = [await files.make("kek"), await files.make("other")];
    const place = (index: number) =>
      index === 2 ? {} : { args: kekArgs(keks[0]!) };
    const args = [...VERY_PATIENT, ...NAMED];
    await withCluster({ args, place }, async (cluster) => {
      await fill(cluster.url("n1"));
      await using load = await ClusterLoad.start(cluster, CALM);
      const errors = new Errors(new Rollout(cluster), load);
      // Each goes on where the one before it ended.
      const step = async (name: string, fn: () => Promise<void>) =>
        ok(await t.step(name, fn), name);
      await step("usage", () => usage(errors));
      await step("phase 0", () => phase0(errors, keks));
      await step("phase 1", () => phase1(errors));
      await step("phase 2", () => phase2(errors));
      await step("retiring keys", () => retirements(errors));
      await step("two at once", () => twoAtOnce(errors));
      await step("backups", () => backups(errors, keks, files.dir));
      await step("a new member", () => candidate(errors, keks[0]!));
      await load.allGoOn();
      await load.verify();
      errors.encrypted.assertNoHalt();
      await errors.encrypted.assertShowsNone(keks.map(({ bytes }) => bytes));
    });
  },
});
