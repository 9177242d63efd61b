/*
 * Goal: an unattended rollout goes through the loss of a leader at any moment,
 * beside another one, and past members that are away or cut off: no program
 * sees an error, nothing that was written is lost, and the transcript comes to
 * the same end on a fresh cluster.
 * Method: real nodes, real signals, and a network that is cut for real where
 * this machine lets us. Commands are asked for once: whatever a fault made of
 * one, the cluster tells.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { print } from "../../tools/print.ts";
import { ClusterLoad } from "./cluster_load.ts";
import {
  type ClusterOptions,
  HAS_CLUSTERS,
  withCluster,
} from "./cluster_process.ts";
import { CALM, VERY_PATIENT } from "./encryption_trial.ts";
import { kekArgs, KekFiles } from "./kek_files.ts";
import { HAS_NAMESPACES, NetworkNamespaces } from "./network_namespaces.ts";
import { sealkvCommand } from "./node_process.ts";
import { openKv } from "./open_kv.ts";
import type { Output } from "./output.ts";
import { CLUSTER_NAME, NAMED, Rollout } from "./rollout.ts";
import { apply, type RunEnd, runIn } from "./rollout_run.ts";

const RECORDS = 150;
const RECORD_BYTES = 8_000;
/** The rewrite of RECORDS takes some seconds at it. */
const SLOWLY = ["--rate", "400KiB"];
const STEPS = ["storage", "rewrite", "seal", "raft", "scrub"] as const;
type Step = typeof STEPS[number];
/** One-way: done by one of those who ask for it. */
const ONCE = [
  "enable-storage-envelope",
  "seal-cleartext",
  "enable-raft-envelope",
];
/** After a fault the cluster may refuse as many times, and say how to go on. */
const TRIES_MAX = 4;

interface Scene {
  readonly rollout: Rollout;
  readonly load: ClusterLoad;
  /** Of the transcript. */
  readonly path: string;
}

/** Three members with records and programs that write all the time. */
async function withScene(
  options: Pick<ClusterOptions, "place">,
  task: (scene: Scene) => Promise<void>,
): Promise<void> {
  await using files = await KekFiles.open();
  const kek = await files.make("kek");
  const place = (index: number) => {
    const own = options.place?.(index) ?? {};
    return { ...own, args: own.args ?? kekArgs(kek) };
  };
  await withCluster(
    { args: [...VERY_PATIENT, ...NAMED], place },
    async (cluster) => {
      const rollout = new Rollout(cluster);
      await fill(cluster.url("n1"));
      const kinds = ["deno"] as const;
      await using load = await ClusterLoad.start(cluster, { ...CALM, kinds });
      await task({ rollout, load, path: `${files.dir}/rollout.sh` });
      await load.progress(3);
      await load.verify();
      deepEqual(load.troubles("deno"), []);
      rollout.encrypted.assertNoHalt();
    },
  );
}

async function fill(url: string): Promise<void> {
  using kv = await openKv(url);
  const bytes = crypto.getRandomValues(new Uint8Array(RECORD_BYTES));
  for (let from = 0; from < RECORDS; from += 50) {
    const keys = Array.from({ length: 50 }, (_, i) => ["before", from + i]);
    await Promise.all(keys.map((key) => kv.set(key, bytes)));
  }
}

/** True once the step was asked for; false when it ended before. */
async function wasAsked(out: Output, step: Step): Promise<boolean> {
  const pattern = step === "rewrite"
    ? /"event":"progress","step":"rewrite".*"state":"running"/
    : new RegExp(`"event":"asked","step":"${step}"`);
  return await out.waitFor(pattern) !== null;
}

function said({ code, out, err }: RunEnd): string {
  return `exit ${code}\n${out}\n${err}`;
}

/**
 * Takes a step while `fault` is done to the cluster amid it; none where a busy
 * member does not answer in time before.
 */
async function takeAmid(
  { rollout, path }: Scene,
  step: Step,
  fault: () => Promise<void>,
): Promise<RunEnd> {
  const startMs = performance.now();
  const flags = ["--json", "--until-step", step, ...SLOWLY];
  let faulted = Promise.resolve();
  const end = await runIn(rollout, apply(path, ...flags), {
    watch: async (_, out) => {
      if (await wasAsked(out, step)) faulted = fault();
    },
  });
  const tookMs = performance.now() - startMs;
  await faulted;
  const error = /error"?(?:\[|:\{"code":")([A-Z_]+)/.exec(end.err)?.[1] ?? "";
  print(`${step}: exit ${end.code} ${error} ${tookMs.toFixed(0)} ms`);
  return end;
}

/** Gives the rollout again until it is done; each refusal has a remedy. */
async function finish(
  { rollout, path }: Scene,
  until: Step = "scrub",
): Promise<void> {
  for (let tries = 1;; tries += 1) {
    await rollout.cluster.agreed();
    const end = await runIn(
      rollout,
      apply(path, "--rate", "64MiB", "--until-step", until),
    );
    if (end.code === 0) return;
    match(end.err, /^remedy: \S/m, said(end));
    ok(tries < TRIES_MAX, said(end));
    print(`given again after ${said(end)}`);
  }
}

/** The transcript comes to the same end where nothing goes wrong. */
async function replays(path: string): Promise<void> {
  const script = await Deno.readTextFile(path);
  await withScene({}, async ({ rollout }) => {
    const env = { CLUSTER: CLUSTER_NAME, SEALKV: sealkvCommand().join(" ") };
    const end = await runIn(rollout, ["sh", path], { env });
    equal(end.code, 0, `${script}\n${said(end)}`);
    await rollout.isOver();
  });
}

/** At any time up to as long as the command takes. */
function chance(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * 300));
}

Deno.test({
  name: "a rollout goes through the death of the leader amid each step",
  ignore: !HAS_CLUSTERS,
  fn: async () => {
    const dir = await Deno.makeTempDir({ prefix: "sealkv-faults-" });
    const path = `${dir}/rollout.sh`;
    try {
      await withScene({}, async (given) => {
        const scene = { ...given, path };
        const { cluster } = scene.rollout;
        for (const step of STEPS) {
          const leader = await cluster.leader();
          await takeAmid(scene, step, async () => {
            await chance();
            await cluster.kill(leader);
            await cluster.start(leader);
            await cluster.agreed();
          });
          await finish(scene, step);
        }
        await scene.rollout.isOver();
      });
      await replays(path);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});

Deno.test({
  name: "a rollout goes on past a leader that stands still",
  ignore: !HAS_CLUSTERS,
  fn: () =>
    withScene({}, async (scene) => {
      const { cluster } = scene.rollout;
      for (const step of STEPS) {
        const leader = await cluster.leader();
        await takeAmid(scene, step, async () => {
          cluster.pause(leader);
          // A rewrite waits for it: it would not end before.
          await cluster.leader([leader]);
          cluster.resume(leader);
        });
        await finish(scene, step);
      }
      await scene.rollout.isOver();
    }),
});

Deno.test({
  name: "two unattended rollouts at once come to one end",
  ignore: !HAS_CLUSTERS,
  fn: () =>
    withScene({}, async (scene) => {
      const { rollout, path } = scene;
      const ends = await Promise.all(["a", "b"].map((name) =>
        runIn(rollout, apply(`${path}.${name}`, ...SLOWLY))
      ));
      for (const end of ends) {
        const isLate = end.err.includes("did not answer within");
        ok(end.code === 0 || isLate, said(end));
      }
      await finish(scene);
      const history = ["encryption", "history", "--json"];
      const { stdout } = await rollout.encrypted.run(...history);
      for (const action of ONCE) {
        const done = stdout.split("\n").filter((line) =>
          line.includes(`"action":"${action}"`) &&
          line.includes('"result":"done"')
        );
        equal(done.length, 1, stdout);
      }
      await rollout.isOver();
    }),
});

Deno.test({
  name: "a rollout stops at who is away or has no KEK, and goes on after",
  ignore: !HAS_CLUSTERS,
  fn: () =>
    withScene({
      place: (index) => index === 2 ? { args: [] } : {},
    }, async (scene) => {
      const { rollout, path } = scene;
      const { cluster } = rollout;
      const blocked = async (name: string, says: RegExp) => {
        const end = await runIn(rollout, apply(path));
        equal(end.code, 3, said(end));
        match(end.err, /^error\[ROLLOUT_STEP_BLOCKED\]/m);
        ok(end.err.includes(name), said(end));
        match(end.err, says);
      };
      await blocked("n3", /--kek/);
      const args = cluster.place("n1").args ?? [];
      await rollout.encrypted.restart("n3", args);
      await finish(scene, "storage");
      // First of the addresses that are asked.
      const { admins } = rollout.encrypted;
      await cluster.kill("n1");
      const env = { SEALKV_ADMIN: admins };
      const end = await runIn(rollout, apply(path), { env });
      equal(end.code, 3, said(end));
      match(end.err, /n1.* does not answer/);
      match(end.err, /^remedy: .*[Ss]tart it/m);
      await cluster.start("n1");
      await finish(scene);
      await rollout.isOver();
    }),
});

Deno.test({
  name: "a rollout asked of a member that is cut off goes by the others",
  ignore: !HAS_CLUSTERS || !HAS_NAMESPACES,
  fn: async () => {
    await using networks = await NetworkNamespaces.make(3);
    await using files = await KekFiles.open();
    const kek = await files.make("kek");
    const place = (index: number) => {
      const own = networks.place(index);
      return { ...own, args: [...own.args ?? [], ...kekArgs(kek)] };
    };
    await withScene({ place }, async (scene) => {
      const { rollout, path } = scene;
      const { cluster } = rollout;
      await finish(scene, "storage");
      await networks.isolate(0);
      await cluster.leader(["n1"]);
      await cluster.statusThat(
        "n1",
        "has no leader",
        ({ leader }) => leader === "",
      );
      const end = await runIn(rollout, apply(path));
      equal(end.code, 3, said(end));
      match(end.err, /n1/);
      await networks.rejoin(0);
      await cluster.agreed();
      const leader = await cluster.leader();
      const index = cluster.names.indexOf(leader);
      await takeAmid(scene, "seal", () => networks.isolate(index));
      await networks.rejoin(index);
      await finish(scene);
      await rollout.isOver();
    });
  },
});
