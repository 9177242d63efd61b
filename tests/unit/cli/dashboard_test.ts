import assert from "node:assert/strict";
import { runIn } from "./fake_services.ts";

Deno.test("dashboard without a terminal names what to use instead", async () => {
  const { code, out, err } = await runIn({}, "dashboard");
  assert.deepEqual([code, out], [2, ""]);
  assert.match(err, /^error\[CLI_USAGE\]: Cannot open the dashboard as /);
  assert.match(err, /remedy: .*`sealkv status --watch`/);
});

Deno.test("dashboard takes a duration between two looks", async () => {
  const { code, err } = await runIn({}, "dashboard", "--interval", "soon");
  assert.equal(code, 2);
  assert.match(err, /Write 500ms, 10s/);
});
