import assert from "node:assert/strict";
import type { NodeError } from "../../../../src/base/error.ts";
import { NO_ENCRYPTION, NO_ROLLOUT } from "../../../../src/fsm/types.ts";
import { planEncryption } from "../../../../src/node/encryption/change_plan.ts";

const TERMS = { dryRun: false, planHash: "", confirm: "prod", accept: [] };

function planOf(
  names: readonly string[],
  kind: "bootstrap" | "enable-storage-envelope" = "bootstrap",
) {
  const members = names.map((name, i) => ({ id: i + 1, name }));
  return planEncryption({ kind }, TERMS, {
    clusterName: "prod",
    self: { id: 1, name: "n1" },
    term: 3,
    members,
    encryption: NO_ENCRYPTION,
    kekIds: ["file:1111111111111111"],
    isRegistered: true,
    rollout: NO_ROLLOUT,
    nowMs: 0,
  });
}

Deno.test("planEncryption() draws no keys that two members seal alike with", () => {
  // Founders are named by their operators, and nobody compared the names.
  assert.throws(
    () => planOf(["n1", "n2", "m24925"]),
    (error: NodeError) => error.code === "NODE_ID_COLLISION",
  );
  assert.ok(planOf(["n1", "n2", "m24924"]).isNeeded);
});

Deno.test("a cutover that draws the first keys looks at names, too", () => {
  const kind = "enable-storage-envelope";
  assert.throws(
    () => planOf(["n1", "n2", "m24925"], kind),
    (error: NodeError) => error.code === "NODE_ID_COLLISION",
  );
  assert.ok(planOf(["n1", "n2", "m24924"], kind).isNeeded);
});
