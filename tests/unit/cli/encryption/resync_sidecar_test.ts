import assert from "node:assert/strict";
import type { ResyncOutcome } from "../../../../src/app/resync_sidecar.ts";
import type { Services } from "../../../../src/cli/services.ts";
import { KekMismatchError } from "../../../../src/keys/errors.ts";
import { runIn } from "../fake_services.ts";

const OUTCOME: ResyncOutcome = {
  node: "n1",
  path: "/d/encryption/keys.json",
  source: "store",
  stateIndex: 7,
  epochs: new Map([[11, 4], [22, 1]]),
  keptAs: "/d/encryption/keys.json.old-20260101T000000Z",
};
const COMMAND = ["encryption", "resync-sidecar", "--data-dir", "/d"];

type Asked = Parameters<Services["resyncSidecar"]>;

function recorder() {
  const asked: Asked[] = [];
  const resyncSidecar: Services["resyncSidecar"] = (...given) => {
    asked.push(given);
    return Promise.resolve(OUTCOME);
  };
  return { asked, resyncSidecar };
}

Deno.test("resync-sidecar says what it wrote and where the old one is", async () => {
  const { asked, resyncSidecar } = recorder();
  const world = { resyncSidecar };
  const { code, out, err } = await runIn(world, ...COMMAND, "--kek", "file:/k");
  assert.deepEqual([code, err], [0, ""]);
  assert.equal(
    out,
    "wrote /d/encryption/keys.json from the store's state of entry 7\n" +
      "key 11: epoch 4\nkey 22: epoch 1\n" +
      "the old one is /d/encryption/keys.json.old-20260101T000000Z\n",
  );
  assert.deepEqual(asked, [[{
    ...{ dataDir: "/d", node: null, encryptionEnabled: false },
    keks: ["file:/k"],
  }, null]]);
});

Deno.test("resync-sidecar --json prints one object", async () => {
  const { resyncSidecar } = recorder();
  const { out } = await runIn({ resyncSidecar }, ...COMMAND, "--json");
  assert.deepEqual(JSON.parse(out), {
    ...{ node: "n1", path: OUTCOME.path, source: "store", stateIndex: "7" },
    epochs: [{ key: 11, epoch: 4 }, { key: 22, epoch: 1 }],
    keptAs: OUTCOME.keptAs,
  });
});

Deno.test("resync-sidecar --admin asks the leader", async () => {
  const { asked, resyncSidecar } = recorder();
  const copy = {
    ...{ clusterId: new Uint8Array(16), applied: 9n },
    state: new Uint8Array(3),
  };
  const world = { resyncSidecar, resyncState: () => Promise.resolve(copy) };
  await runIn(world, ...COMMAND, "--admin", "127.0.0.1:4514");
  const fetchState = asked[0]?.[1];
  assert.deepEqual(await fetchState?.(), copy);
});

Deno.test("resync-sidecar ends with the code of what refuses it", async () => {
  const resyncSidecar = () => Promise.reject(new KekMismatchError(11, [], []));
  const { code, err } = await runIn({ resyncSidecar }, ...COMMAND);
  assert.equal(code, 78);
  assert.match(err, /error\[KEYS_KEK_MISMATCH\].*\nremedy: /);
});
