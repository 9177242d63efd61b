import assert from "node:assert/strict";
import { metricSum } from "../../../src/bench/metrics_text.ts";

const PAGE = `# HELP sent_total Bytes sent
# TYPE sent_total counter
sent_total{To="a"} 1.5e+03
sent_total{To="b c"} 500
sent_total_other 7
plain 12
`;

Deno.test("metricSum() adds all series of one name", () => {
  assert.equal(metricSum(PAGE, "sent_total"), 2_000);
  assert.equal(metricSum(PAGE, "plain"), 12);
});

Deno.test("metricSum() tells absence from zero", () => {
  assert.equal(metricSum(PAGE, "sent"), null);
  assert.equal(metricSum("zero 0\n", "zero"), 0);
});
