import assert from "node:assert/strict";
import {
  type EncryptionMetricsSource,
  registerEncryptionMetrics,
} from "../../../src/app/encryption_metrics.ts";
import { kekUnwrapSeconds, timedKek } from "../../../src/app/timed_kek.ts";
import type { Bytes } from "../../../src/base/bytes.ts";
import { MetricRegistry } from "../../../src/base/metrics.ts";
import { NO_ENCRYPTION } from "../../../src/fsm/types.ts";
import type { Kek, WrapContext } from "../../../src/keys/port.ts";
import { SimClock } from "../../sim/io/clock.ts";
import { BOOTSTRAPPED } from "./encryption_source.ts";

function scrape(source: EncryptionMetricsSource): string[] {
  const metrics = new MetricRegistry();
  registerEncryptionMetrics(metrics, source);
  return metrics.render().split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.replace("sealkv_encryption_", ""));
}

Deno.test("registerEncryptionMetrics() shows every number of its source", () => {
  assert.deepEqual(scrape(BOOTSTRAPPED), [
    'active_key_id{purpose="storage"} 11',
    'active_key_id{purpose="raft"} 22',
    'local_epoch{purpose="storage"} 7',
    'local_epoch{purpose="raft"} 0',
    'cutover_index{kind="storage"} 184201',
    'cutover_index{kind="raft"} 0',
    'cutover_index{kind="cleartext_lock"} 0',
    'seals_total{key_id="9"} 0',
    'seals_total{key_id="11"} 5',
    'seals_total{key_id="22"} 0',
    'open_failures_total{reason="rejected"} 2',
    'records{state="cleartext",key_id="0"} 3',
    'records{state="sealed",key_id="9"} 40',
    'records{state="sealed",key_id="11"} 50',
    "rewrite_remaining 43",
  ]);
});

Deno.test("registerEncryptionMetrics() claims no counts before a count", () => {
  const source = {
    ...BOOTSTRAPPED,
    records: () => null,
    rewriteRemaining: () => null,
  };
  const lines = scrape(source);
  assert.ok(!lines.some((line) => line.startsWith("records")));
  assert.ok(lines.includes("rewrite_remaining 0"));
});

Deno.test("registerEncryptionMetrics() shows zeros before bootstrap", () => {
  const source: EncryptionMetricsSource = {
    state: () => NO_ENCRYPTION,
    epochs: () => new Map(),
    seals: () => new Map(),
    openFailures: () => new Map(),
  };
  const lines = scrape(source);
  assert.equal(lines.length, 8);
  assert.ok(lines.every((line) => line.endsWith(" 0")), lines.join("\n"));
});

Deno.test("timedKek() is its KEK, and observes each unwrap", async () => {
  const clock = new SimClock();
  const metrics = new MetricRegistry();
  const calls: [Bytes, WrapContext][] = [];
  let failure: Error | null = null;
  const kek: Kek = {
    id: "file:1",
    wrap: async (secret) => secret.map((byte) => byte + 1),
    async unwrap(wrapped, context) {
      calls.push([wrapped, context]);
      clock.advance(30);
      if (failure !== null) throw failure;
      return wrapped;
    },
  };
  const timed = timedKek(kek, { seconds: kekUnwrapSeconds(metrics), clock });
  const context: WrapContext = {
    kind: "dek",
    clusterId: new Uint8Array(16),
    keyId: 1,
    purpose: "storage",
  };
  const secret = Uint8Array.of(1);
  assert.equal(timed.id, "file:1");
  assert.deepEqual(await timed.wrap(secret, context), Uint8Array.of(2));
  assert.equal(await timed.unwrap(secret, context), secret);
  failure = new Error("no");
  await assert.rejects(timed.unwrap(secret, context), failure);
  assert.deepEqual(calls, [[secret, context], [secret, context]]);
  const text = metrics.render();
  assert.match(text, /_bucket\{le="0.02"\} 0\n.*_bucket\{le="0.1"\} 2\n/);
  assert.match(text, /_sum 0.06\n/);
});
