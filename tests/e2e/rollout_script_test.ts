/*
 * Goal: an unattended rollout comes to its end, also when it is killed amid a
 * step and given again; the transcript that it leaves comes to the same end on
 * a fresh cluster, whose keys have other ids.
 * Method: real nodes and the real commands; the transcript is run by `sh`.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { connectAdmin } from "../../mod.ts";
import { denoClock } from "../../src/io/deno/clock.ts";
import { NO_CHOICES } from "../../src/rollout/snapshot.ts";
import { planRollout } from "../../src/rollout/plan_rollout.ts";
import { runStep } from "../../src/rollout/run_step.ts";
import type { StepId } from "../../src/rollout/step.ts";
import { takeSnapshot } from "../../src/rollout/take_snapshot.ts";
import { transcriptWriter } from "../../src/rollout/transcript.ts";
import { HAS_CLUSTERS, withCluster } from "./cluster_process.ts";
import { PATIENT } from "./encryption_trial.ts";
import { kekArgs, KekFiles } from "./kek_files.ts";
import { ADMIN_TOKEN, sealkvCommand } from "./node_process.ts";
import { openKv } from "./open_kv.ts";
import { CLUSTER_NAME, Rollout } from "./rollout.ts";
import { apply, runIn } from "./rollout_run.ts";

const RECORDS = 60;
const RECORD_BYTES = 8_000;
/** The rewrite of RECORDS takes some seconds at it. */
const SLOWLY = ["--rate", "50KiB"];

async function withRollout(
  clusterName: string,
  task: (rollout: Rollout) => Promise<void>,
): Promise<void> {
  await using files = await KekFiles.open();
  const kek = await files.make("kek");
  const args = [...PATIENT, "--cluster-name", clusterName];
  const place = () => ({ args: kekArgs(kek) });
  await withCluster({ args, place }, async (cluster) => {
    using kv = await openKv(cluster.url("n1"));
    const bytes = crypto.getRandomValues(new Uint8Array(RECORD_BYTES));
    for (let i = 0; i < RECORDS; i += 1) await kv.set(["before", i], bytes);
    await task(new Rollout(cluster));
  });
}

/** Kills it once it follows the rewrite, which goes on without it. */
async function killInRewrite(rollout: Rollout, path: string): Promise<void> {
  const killed = await runIn(
    rollout,
    apply(path, "--json", ...SLOWLY),
    {
      watch: async (child, out) => {
        const progress = await out.waitFor(
          /"event":"progress","step":"rewrite".*"state":"running"/,
        );
        ok(progress !== null, out.text);
        child.kill("SIGKILL");
      },
    },
  );
  ok(killed.code !== 0);
  match(await Deno.readTextFile(path), /^# asked .*rewrite --rate.*\n$/m);
}

/** What the wizard does when someone rotates and retires keys. */
async function rotateAndRetire(rollout: Rollout, path: string): Promise<void> {
  const clock = denoClock();
  const client = connectAdmin({
    admin: rollout.encrypted.admins,
    token: ADMIN_TOKEN,
  });
  try {
    const { cluster, clusterId } = await client.getStatus();
    const head = { cluster, clusterId, actor: "ana@laptop" };
    const options = { clock, choices: NO_CHOICES };
    const snapshot = { ...options, previous: null, isFull: true };
    const plan = planRollout(
      await takeSnapshot(client, snapshot),
      NO_CHOICES,
    );
    const before = await Deno.readTextFile(path);
    const writer = transcriptWriter({ path, before }, {
      head: { ...head, atMs: clock.wallMs(), version: "0.1.0" },
      ...{ accept: [], plan, events: await client.events() },
    });
    const append = (text: string) =>
      Deno.writeTextFile(path, text, { append: true });
    await append(writer.opening);
    for (const step of ["rotate", "retire"] satisfies StepId[]) {
      const { signal } = new AbortController();
      const terms = { confirm: CLUSTER_NAME, planHash: "", signal };
      for await (const event of runStep(client, options)(step, terms)) {
        await append(writer.event(step, event));
        if (event.kind === "failed") throw event.error;
      }
    }
  } finally {
    client.close();
  }
}

/** What two clusters must have in common; ids and indexes are their own. */
async function endOf(rollout: Rollout) {
  await rollout.isOver();
  const { phase, keys, retired } = await rollout.status();
  const active = keys.map(({ purpose, active }) => [purpose, active])
    .toSorted();
  return { phase, active, retired: retired.length };
}

Deno.test({
  name: "an unattended rollout that is killed goes on, and its script replays",
  ignore: !HAS_CLUSTERS,
  fn: async () => {
    const dir = await Deno.makeTempDir({ prefix: "sealkv-script-" });
    const path = `${dir}/rollout.sh`;
    try {
      let first: unknown = null;
      await withRollout(CLUSTER_NAME, async (rollout) => {
        const storage = await runIn(
          rollout,
          apply(path, "--until-step", "storage"),
        );
        equal(storage.code, 0, storage.err);
        match(storage.out, /\$ sealkv encryption enable-storage-envelope/);
        await killInRewrite(rollout, path);
        // At full speed to the end, on the job that is under way.
        const rest = await runIn(rollout, apply(path, "--rate", "64MiB"));
        equal(rest.code, 0, `${rest.out}\n${rest.err}`);
        match(rest.out, /\ndone\n$/);
        const again = await runIn(rollout, apply(path));
        equal(again.code, 0, again.err);
        ok(!again.out.includes("$ sealkv"), again.out);
        await rotateAndRetire(rollout, path);
        first = await endOf(rollout);
      });
      const script = await Deno.readTextFile(path);
      match(script, /^# resumed .* by .*, sealkv /m);
      await withRollout("copy-eu-2", async (rollout) => {
        const env = {
          CLUSTER: "copy-eu-2",
          SEALKV: sealkvCommand().join(" "),
        };
        const end = await runIn(rollout, ["sh", path], { env });
        equal(end.code, 0, `${script}\n${end.out}\n${end.err}`);
        deepEqual(await endOf(rollout), first, script);
      });
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});

Deno.test({
  name: "an unattended rollout stops where it may not go, and says why",
  ignore: !HAS_CLUSTERS,
  fn: async () => {
    const dir = await Deno.makeTempDir({ prefix: "sealkv-script-" });
    const path = `${dir}/rollout.sh`;
    try {
      await withRollout(CLUSTER_NAME, async (rollout) => {
        const unnamed = [...sealkvCommand(), "rollout", "--apply"];
        const wrong = await runIn(rollout, [...unnamed, "--confirm", "other"]);
        equal(wrong.code, 4, wrong.err);
        match(wrong.err, /^error\[CLI_UNCONFIRMED\]/m);
        const dwelling = await runIn(rollout, apply(path, "--dwell", "1h"));
        equal(dwelling.code, 3, `${dwelling.out}\n${dwelling.err}`);
        match(dwelling.err, /^error\[ROLLOUT_STEP_BLOCKED\].*"seal"/m);
        match(dwelling.err, /^remedy: .*--accept-short-dwell/m);
        equal((await rollout.give(["dwell", "--end"])).code, 0);
        const rest = await runIn(rollout, apply(path));
        equal(rest.code, 0, `${rest.out}\n${rest.err}`);
        await rollout.isOver();
      });
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});
