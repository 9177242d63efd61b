import assert from "node:assert/strict";
import type { DoctorReport } from "../../../src/app/doctor.ts";
import type { StoppedNode } from "../../../src/app/stopped_node.ts";
import { DataDirLockedError } from "../../../src/node/errors.ts";
import { runIn } from "./fake_services.ts";

const HEALTHY: DoctorReport = {
  dataDir: "/d",
  node: "n2",
  findings: [
    { guard: "DataDirLocked", verdict: "passed", error: null },
    { guard: "KekRequired", verdict: "passed", error: null },
  ],
};
const LOCKED: DoctorReport = {
  ...HEALTHY,
  findings: [
    {
      guard: "DataDirLocked",
      verdict: "refused",
      error: new DataDirLockedError("/d"),
    },
    { guard: "WrongCluster", verdict: "unchecked", error: null },
  ],
};

function doctor(report: DoctorReport) {
  const asked: StoppedNode[] = [];
  return {
    asked,
    runDoctor(node: StoppedNode) {
      asked.push(node);
      return Promise.resolve(report);
    },
  };
}

Deno.test("doctor says of every guard that it passed", async () => {
  const { runDoctor } = doctor(HEALTHY);
  const { code, out, err } = await runIn({ runDoctor }, "doctor");
  assert.deepEqual([code, err], [0, ""]);
  assert.equal(
    out,
    "passed    DataDirLocked\npassed    KekRequired\nn2 in /d may start\n",
  );
});

Deno.test("doctor ends with 78, the error and its remedy", async () => {
  const { runDoctor } = doctor(LOCKED);
  const { code, out } = await runIn({ runDoctor }, "doctor");
  assert.equal(code, 78);
  const [first, second, third, last] = out.split("\n");
  assert.match(
    first!,
    /^refused {3}DataDirLocked error\[NODE_DATA_DIR_LOCKED\]: /,
  );
  assert.match(second!, /^ {10}remedy: Stop the other `sealkv serve`/);
  assert.equal(third, "unchecked WrongCluster");
  assert.equal(last, "n2 in /d may not start: 1 refused");
});

Deno.test("doctor --json prints one object", async () => {
  const { runDoctor } = doctor(LOCKED);
  const { code, out } = await runIn({ runDoctor }, "doctor", "--json");
  assert.equal(code, 78);
  const { findings, ...rest } = JSON.parse(out);
  assert.deepEqual(rest, { node: "n2", dataDir: "/d", mayStart: false });
  assert.equal(findings[0].error.code, "NODE_DATA_DIR_LOCKED");
  assert.deepEqual(findings[1], {
    guard: "WrongCluster",
    verdict: "unchecked",
  });
});

Deno.test("doctor takes the settings of serve", async () => {
  const { asked, runDoctor } = doctor(HEALTHY);
  const files = { "/c": '{"kek":["file:/a","file:/b"],"data-dir":"/conf"}' };
  const env = { HOME: "/h", SEALKV_ENCRYPTION_ENABLED: "1" };
  await runIn({ runDoctor, env, files }, "doctor", "--config", "/c");
  await runIn(
    { runDoctor },
    ...["doctor", "--node", "n3", "--data-dir", "/d", "--kek-file", "/a"],
  );
  assert.deepEqual(asked, [
    {
      ...{ dataDir: "/conf", node: null, encryptionEnabled: true },
      keks: ["file:/a", "file:/b"],
    },
    {
      ...{ dataDir: "/d", node: "n3", encryptionEnabled: false },
      keks: ["file:/a"],
    },
  ]);
});

Deno.test("doctor refuses settings that serve would refuse", async () => {
  const { asked, runDoctor } = doctor(HEALTHY);
  const env = { HOME: "/h", SEALKV_LISTEN: "x" };
  const { code, err } = await runIn({ runDoctor, env }, "doctor");
  assert.equal(code, 78);
  assert.match(err, /APP_CONFIG_INVALID.*"listen"/);
  assert.deepEqual(asked, []);
});
