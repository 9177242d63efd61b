import assert from "node:assert/strict";
import type { AuditResult } from "../../../src/admin/audit.ts";
import { auditedStream } from "../../../src/admin/audited_stream.ts";
import { AdminStoppingError } from "../../../src/admin/errors.ts";
import { recordingAudit } from "./fake_node.ts";

const ASKED = { actor: "ana@laptop", remote: "10.0.0.9", call: "S/Backup" };

function audited(stream: AsyncIterable<number>) {
  const [audit, gone] = [recordingAudit(), new AbortController()];
  const asked = { ...ASKED, index: 812n };
  const given = auditedStream({ stream, gone: gone.signal, asked, audit });
  return { records: audit.records, gone, given };
}

function record(result: AuditResult, code = "") {
  return {
    ...ASKED,
    ...{ index: 812n, request: {}, plan: "", accept: [] },
    ...{ result, isChanged: false, code },
  };
}

async function* two(): AsyncGenerator<number> {
  yield 1;
  yield 2;
}

async function* failing(error: Error): AsyncGenerator<number> {
  yield 1;
  throw error;
}

Deno.test("auditedStream() records a whole stream as done", async () => {
  const { records, given } = audited(two());
  assert.deepEqual(await Array.fromAsync(given), [1, 2]);
  assert.deepEqual(records, [record("done")]);
});

Deno.test("auditedStream() says why a stream broke off", async () => {
  for (
    const [error, code] of [
      [new AdminStoppingError(), "ADMIN_STOPPING"],
      [new Error("a bug"), ""],
    ] as const
  ) {
    const { records, given } = audited(failing(error));
    await assert.rejects(Array.fromAsync(given), error);
    assert.deepEqual(records, [record("unknown", code)]);
  }
});

Deno.test("auditedStream() records what fails at once as refused", async () => {
  async function* refused(): AsyncGenerator<number> {
    yield await Promise.reject(new AdminStoppingError());
  }
  const { records, given } = audited(refused());
  await assert.rejects(Array.fromAsync(given), AdminStoppingError);
  assert.deepEqual(records, [record("refused", "ADMIN_STOPPING")]);
});

Deno.test("auditedStream() counts none as whole whose caller is gone", async () => {
  const ended = audited(two());
  ended.gone.abort();
  await Array.fromAsync(ended.given);
  assert.deepEqual(ended.records, [record("unknown")]);
  const left = audited(two());
  for await (const one of left.given) if (one === 1) break;
  assert.deepEqual(left.records, [record("unknown")]);
});
