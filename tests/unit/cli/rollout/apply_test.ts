/*
 * Goal: an unattended rollout shows what it does, in words and as JSON, ends
 * with the exit code of what stopped it, and leaves its transcript.
 * Method: the command against a cluster that climbs the ladder as it is asked.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { RemoteError } from "../../../../src/admin/errors.ts";
import { run } from "../../../../src/cli/run.ts";
import { memoryFiles } from "../../../sim/io/files.ts";
import { ClimbingCluster } from "../../rollout/climbing_cluster.ts";
import { eagerClock } from "../../rollout/eager_clock.ts";
import type { Rung } from "../../rollout/snapshots.ts";
import { fakeServices, recordingOutput } from "../fake_services.ts";

interface Given {
  readonly cluster: ClimbingCluster;
  readonly files?: ReturnType<typeof memoryFiles>;
}

async function rollout(
  { cluster, files = memoryFiles() }: Given,
  ...words: readonly string[]
) {
  const [out, err] = [recordingOutput(false), recordingOutput(false)];
  const services = {
    ...fakeServices({}, out, err),
    ...{ files, clock: eagerClock() },
    adminClient: () => ({ ...cluster.client(), close() {} }),
  };
  const code = await run(["rollout", ...words], services);
  return { code, out: out.text(), err: err.text() };
}

function at(rung: Rung): Given {
  return { cluster: new ClimbingCluster(rung) };
}

const APPLY = ["--apply", "--confirm", "prod"];

Deno.test("rollout --apply says what it does, line by line", async () => {
  const { code, out } = await rollout(at("locked"), ...APPLY);
  equal(code, 0);
  deepEqual(out.split("\n"), [
    "prod, phase 1 (storage envelope on)",
    "done before: Key on every node, Storage cutover, Dwell and rewrite, Seal",
    "  cleartext",
    "Raft cutover (one way)",
    "  $ sealkv encryption enable-raft-envelope --confirm prod",
    "    done, index 950",
    "Scrub and verify",
    "  $ sealkv encryption scrub",
    "    done, index 950",
    "  $ sealkv encryption status --verify",
    "    no record is cleartext",
    "phase 2 (raft envelope on)",
    "done",
    "",
  ]);
});

Deno.test("rollout --apply --json prints an object a line", async () => {
  const { code, out } = await rollout(at("locked"), ...APPLY, "--json");
  equal(code, 0);
  const lines = out.trimEnd().split("\n").map((line) => JSON.parse(line));
  const kinds = lines.map(({ event }) => event)
    .filter((kind) => kind !== "progress");
  deepEqual(kinds, [
    ...["step", "asked", "answered"],
    ...["step", "asked", "answered", "asked", "answered"],
    "ended",
  ]);
  const answered = lines.find(({ event }) => event === "answered");
  equal(answered.step, "raft");
  equal(answered.index, "950");
  equal(answered.byOthers, false);
  match(answered.at, /^2026-11-26T08:00:\d\dZ$/);
  equal(lines.at(-1).end, "done");
});

for (
  const [name, words] of [["no", []], ["another", ["--confirm", "x"]]] as const
) {
  Deno.test(`rollout --apply asks nobody for ${name} name`, async () => {
    const given = at("capable");
    const { code, err } = await rollout(given, "--apply", ...words);
    equal(code, 4);
    match(err, /^error\[CLI_UNCONFIRMED\]/);
    match(err, /--confirm prod/);
    deepEqual(given.cluster.asked, []);
  });
}

Deno.test("rollout --apply ends with 3 where a check fails", async () => {
  const { code, out, err } = await rollout(at("plain"), ...APPLY);
  equal(code, 3);
  match(out, /stopped at the step "capability"/);
  match(err, /^error\[ROLLOUT_STEP_BLOCKED\]: .*"capability".*n1/);
  match(err, /^remedy: .*--encryption-enabled/m);
});

Deno.test("rollout --apply ends as the command that failed does", async () => {
  const given = at("locked");
  given.cluster.fates["enable-raft-envelope"] = [
    new RemoteError("NODE_CUTOVER_ABORTED", "Cannot", "Give it again"),
  ];
  const { code, err } = await rollout(given, ...APPLY);
  equal(code, 8);
  match(err, /^error\[NODE_CUTOVER_ABORTED\]/);
});

Deno.test("rollout --apply --dry-run changes nothing, and ends with 3 where it would", async () => {
  const open = at("locked");
  equal((await rollout(open, "--apply", "--dry-run")).code, 0);
  const blocked = at("plain");
  const { code, out } = await rollout(blocked, "--apply", "--dry-run");
  equal(code, 3);
  match(out, /next: Key on every node/);
  deepEqual([...open.cluster.asked, ...blocked.cluster.asked], []);
});

Deno.test("rollout --apply passes on what was chosen", async () => {
  const given = at("stored");
  const flags = ["--rate", "8MiB", "--accept-short-dwell", "--dwell", "1h"];
  const { code } = await rollout(given, ...APPLY, ...flags);
  equal(code, 0);
  const { asked } = given.cluster;
  deepEqual(asked.slice(0, 2).map(({ kind, of }) => [kind, of]), [
    ["update-rollout", Date.parse("2026-11-26T09:00:00Z")],
    ["start-rewrite", 8_388_608],
  ]);
  const lock = asked.find(({ kind }) => kind === "seal-cleartext");
  deepEqual(lock?.options.accept, ["short-dwell"]);
});

Deno.test("rollout --apply writes a transcript and goes on with it", async () => {
  const files = memoryFiles();
  const cluster = new ClimbingCluster("capable");
  const flags = [...APPLY, "--transcript", "/t.sh"];
  const text = () => new TextDecoder().decode(files.contents.get("/t.sh"));
  const given = { cluster, files };
  equal((await rollout(given, ...flags, "--until-step", "seal")).code, 0);
  match(text(), /by ana@laptop, sealkv /);
  equal((await rollout(given, ...flags)).code, 0);
  deepEqual(
    text().split("\n").filter((line) => line.startsWith("$SEALKV"))
      .map((line) => line.split(" ")[2]),
    [
      "enable-storage-envelope",
      "rewrite",
      "seal-cleartext",
      "enable-raft-envelope",
      "scrub",
      "status",
    ],
  );
});

Deno.test("rollout --apply leaves a file alone that is no transcript", async () => {
  const files = memoryFiles({ "/t.sh": "dear diary" });
  const cluster = new ClimbingCluster("capable");
  const flags = [...APPLY, "--transcript", "/t.sh"];
  const { code, err } = await rollout({ cluster, files }, ...flags);
  equal(code, 3);
  match(err, /^error\[ROLLOUT_TRANSCRIPT_FOREIGN\]/);
  deepEqual(cluster.asked, []);
  equal(new TextDecoder().decode(files.contents.get("/t.sh")), "dear diary");
});

Deno.test("rollout without a terminal names what to use instead", async () => {
  const { code, err } = await rollout(at("capable"));
  equal(code, 2);
  match(err, /rollout --plan/);
  match(err, /rollout --apply --confirm/);
});

Deno.test("rollout --plan and --apply exclude each other", async () => {
  const { code, err } = await rollout(at("capable"), "--plan", "--apply");
  equal(code, 2);
  ok(err.includes("--apply"));
});
