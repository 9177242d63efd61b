/*
 * Goal: after rewrite, seal-cleartext, enable-raft-envelope and scrub nothing
 * that programs ever stored is found in any file of any data dir; their keys
 * are found in the store alone, where docs/security.md admits them.
 * Method: real nodes; canaries of many shapes are written in every phase, some
 * replaced, deleted or expired again, and members left behind so that they get
 * checkpoints, in cleartext and sealed. Then every byte of every file is
 * searched, while the nodes run and after `kill -9` of all. The same search
 * finds every canary before: it is able to.
 */
import { deepEqual, equal, fail, match, ok } from "node:assert/strict";
import { HAS_CLUSTERS, withCluster } from "./cluster_process.ts";
import { PATIENT } from "./encryption_trial.ts";
import { kekArgs, KekFiles } from "./kek_files.ts";
import { openKv } from "./open_kv.ts";
import {
  ENABLE_RAFT,
  ENABLE_STORAGE,
  NAMED,
  REWRITE,
  Rollout,
  SCRUB,
  SEAL_CLEARTEXT,
} from "./rollout.ts";
import { Canaries, type Finding } from "./search_files.ts";
import { until } from "./until.ts";

/** The log forgets soon, so that a member that was away gets a checkpoint. */
const SHORT_LOG = ["--log-compact-after", "1MiB", "--log-keep-entries", "5"];
const LARGE_WRITES = 80;
const ROUNDS_MAX = 4;
const LARGE_BYTES = 60_000;
/** The largest value: sealed, it takes more than one row. */
const LONG_CHARS = 65_536;
const INSTALLED_MS_MAX = 10_000;
const EXPIRED_MS_MAX = 30_000;
/** Its row has a hash for a key, and the key in its value. */
const LONG_KEY_CHARS = 1_950;
const LOG = /\/raft\/wal\//;
const STORE = /\/store[^/]*\.sqlite(?:-wal|-shm)?$/;

/** What was written in one phase. */
class Written {
  readonly values: string[] = [];
  readonly keys: string[] = [];
  readonly #canaries: Canaries;
  readonly #phase: number;

  constructor(canaries: Canaries, phase: number) {
    this.#canaries = canaries;
    this.#phase = phase;
  }

  value(): string {
    const { halves, text } = this.#canaries.draw("v", this.#phase);
    this.values.push(...halves);
    return text;
  }

  key(): string {
    const { halves, text } = this.#canaries.draw("k", this.#phase);
    this.keys.push(...halves);
    return text;
  }
}

/** Records of every shape; some are gone again at the end. */
async function writeCanaries(
  canaries: Written,
  urls: readonly string[],
): Promise<void> {
  const phase = canaries.key();
  using kv = await openKv(urls[0]!);
  using other = await openKv(urls.at(-1)!);
  const value = () => canaries.value();
  const bytes = (text: string) => new TextEncoder().encode(text);
  await kv.set([phase, "text"], value());
  await other.set([phase, "bytes"], bytes(value()));
  await kv.set([phase, "two-byte text"], `${value()} \u2713`);
  await kv.set([phase, "object"], { deep: [{ [value()]: value() }] });
  const long = value();
  const times = Math.floor(LONG_CHARS / long.length);
  await kv.set([phase, "long"], bytes(long.repeat(times)));
  await kv.set([phase, canaries.key(), bytes(canaries.key())], 1);
  const key = canaries.key();
  const longKey = `${key}${"x".repeat(LONG_KEY_CHARS - key.length)}`;
  await kv.set([phase, longKey], value());
  await kv.set([phase, "replaced"], value());
  await kv.set([phase, "replaced"], value());
  await kv.set([phase, "deleted"], bytes(value().repeat(100)));
  await kv.delete([phase, "deleted"]);
  await kv.set([phase, "expired"], value(), { expireIn: 1 });
  const mutations = kv.atomic();
  for (let i = 0; i < 20; i += 1) mutations.set([phase, "many", i], value());
  ok((await mutations.commit()).ok);
  await until("the record expires", EXPIRED_MS_MAX, async () => {
    return (await kv.get([phase, "expired"])).value === null;
  });
}

/** All that is there after `writeCanaries` can be read. */
async function holdsCanaries(
  canaries: Written,
  url: string,
): Promise<void> {
  using kv = await openKv(url);
  const phase = canaries.keys.slice(0, 2).join("");
  const entries = await Array.fromAsync(kv.list({ prefix: [phase] }));
  equal(entries.length, 28);
  const text = canaries.values.slice(0, 2).join("");
  equal((await kv.get([phase, "text"])).value, text);
}

/** A member is left behind until the log of the others has forgotten. */
async function sendCheckpoint({ cluster }: Rollout): Promise<void> {
  const bytes = new Uint8Array(LARGE_BYTES);
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const leader = await cluster.leader();
    const late = cluster.names.find((name) => name !== leader)!;
    await cluster.kill(late);
    using kv = await openKv(cluster.url(leader));
    // One after the other: each is an entry of its own.
    for (let i = 0; i < LARGE_WRITES; i += 1) await kv.set(["large", i], bytes);
    await cluster.start(late);
    await cluster.agreed();
    const has = (event: string) =>
      cluster.node(late).output.includes(`"event":"${event}"`);
    if (!has("checkpoint_started")) continue;
    // It agrees a moment before it says so.
    await until(
      "it is installed",
      INSTALLED_MS_MAX,
      () => has("checkpoint_installed"),
    );
    return;
  }
  fail("nobody came back by a checkpoint");
}

/** Searches the files of all members. */
class Search {
  readonly canaries = new Canaries();
  readonly #rollout: Rollout;

  constructor(rollout: Rollout) {
    this.#rollout = rollout;
  }

  async all(): Promise<readonly Finding[]> {
    const { cluster } = this.#rollout;
    await cluster.settled();
    const dirs = cluster.names.map((name) => cluster.place(name).dataDir);
    return await this.canaries.search(dirs);
  }

  /** Every one of these is found on every member. */
  async findsAll(texts: readonly string[]): Promise<void> {
    const { cluster } = this.#rollout;
    const findings = await this.all();
    for (const name of cluster.names) {
      const { dataDir } = cluster.place(name);
      const seen = new Set(
        findings.filter(({ path }) => path.startsWith(`${dataDir}/`))
          .map(({ text }) => text),
      );
      const missed = texts.filter((text) => !seen.has(text));
      deepEqual(missed, [], `not found in the files of "${name}"`);
    }
  }

  /** No value is found, and no key outside the store. */
  async findsKeysAlone(phases: readonly Written[]): Promise<void> {
    const keys = new Set(phases.flatMap(({ keys }) => keys));
    const findings = await this.all();
    ok(findings.length > 0, "the search finds keys");
    const others = findings.filter(({ text, path }) =>
      !keys.has(text) || !STORE.test(path)
    );
    deepEqual(others, []);
  }
}

Deno.test({
  name: "no value of any time is in any file after a scrub",
  ignore: !HAS_CLUSTERS,
  async fn() {
    await using files = await KekFiles.open();
    const kek = await files.make("kek");
    const args = [...PATIENT, ...NAMED, ...SHORT_LOG];
    const place = () => ({ args: kekArgs(kek) });
    await withCluster({ args, place }, async (cluster) => {
      const rollout = new Rollout(cluster);
      const urls = cluster.names.map((name) => cluster.url(name));
      const search = new Search(rollout);
      const [before, between, after] = [0, 1, 2].map((phase) =>
        new Written(search.canaries, phase)
      ) as [Written, Written, Written];
      const phases = [before, between, after];

      await writeCanaries(before, urls);
      await search.findsAll([...before.values, ...before.keys]);
      await sendCheckpoint(rollout);

      await rollout.take(ENABLE_STORAGE);
      await writeCanaries(between, urls);
      const left = (await search.all())
        .filter(({ text }) => between.values.includes(text));
      ok(left.length > 0, "the log has values until phase 2");
      for (const { path } of left) match(path, LOG);
      await rollout.take(REWRITE);
      await rollout.allSealed();
      await rollout.take(SEAL_CLEARTEXT);
      await sendCheckpoint(rollout);

      await rollout.take(ENABLE_RAFT);
      await writeCanaries(after, urls);
      const leaked = (await search.all())
        .filter(({ text }) => after.values.includes(text));
      deepEqual(leaked, [], "values of phase 2");
      await rollout.take(SCRUB);
      await search.findsKeysAlone(phases);
      for (const phase of phases) {
        for (const url of urls) await holdsCanaries(phase, url);
      }
      await Promise.all(cluster.names.map((name) => cluster.kill(name)));
      const dirs = cluster.names.map((name) => cluster.place(name).dataDir);
      for (const { path } of await search.canaries.search(dirs)) {
        match(path, STORE, "after kill -9");
      }
      await cluster.startAll();
      await cluster.agreed();
      for (const phase of phases) await holdsCanaries(phase, urls[0]!);
      await rollout.isOver();
      await search.findsKeysAlone(phases);
    });
  },
});
