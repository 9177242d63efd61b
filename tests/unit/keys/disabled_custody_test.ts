import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { disabledCustody } from "../../../src/keys/disabled_custody.ts";
import { KekMismatchError } from "../../../src/keys/errors.ts";
import type { SharedKeys } from "../../../src/keys/port.ts";
import { CLUSTER_ID } from "./sample_keys.ts";

const KEY = {
  id: 7,
  purpose: "storage",
  commitment: new Uint8Array(32),
  createdMs: 0,
  wraps: [{ kek: "file:00", wrapped: new Uint8Array(60) }],
} as const;
const SHARED: SharedKeys = {
  stateIndex: 5,
  keys: new Map([[KEY.id, KEY]]),
  active: { storage: 7, raft: 8 },
  stateKey: 9,
  storageCutoverIndex: 0,
  raftCutoverIndex: 0,
  cleartextLockIndex: 0,
};

Deno.test("disabledCustody() has nothing, and says what is missing", async () => {
  const custody = disabledCustody("n1");
  const { node, isEnabled, kekIds, sidecarIndex } = custody;
  deepEqual([node, isEnabled, kekIds, sidecarIndex], ["n1", false, [], 0]);
  equal(custody.epochs().size, 0);
  deepEqual(await custody.gaps(), [{ kind: "flag" }]);
});

Deno.test("disabledCustody() takes no keys over, and opens nothing", async () => {
  const custody = disabledCustody("n1");
  await rejects(custody.absorb(CLUSTER_ID, SHARED, () => 0), (error) => {
    ok(error instanceof KekMismatchError);
    deepEqual([error.keyId, error.wrappedUnder, error.kekIds], [
      7,
      ["file:00"],
      [],
    ]);
    return true;
  });
  const code = (code: string) => ({ code });
  const context = {
    kind: "dek",
    clusterId: CLUSTER_ID,
    keyId: 7,
    purpose: "raft",
  } as const;
  equal(await custody.openChallenge(KEY.wraps, context), null);
  await rejects(custody.nextEpoch(7), code("KEYS_KEY_UNKNOWN"));
  await rejects(
    custody.stateMac(CLUSTER_ID, new Uint8Array(1)),
    code("KEYS_KEY_UNKNOWN"),
  );
  await rejects(
    custody.rewrap(CLUSTER_ID, KEY, ["file:00"]),
    code("KEYS_KEK_UNKNOWN"),
  );
});
