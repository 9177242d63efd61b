import assert from "node:assert/strict";
import type { AuditRecord } from "../../src/admin/audit.ts";
import { adminHandler } from "../../src/admin/handler.ts";
import { denoClock } from "../../src/io/deno/clock.ts";
import { denoHttpServer } from "../../src/io/deno/http.ts";
import {
  type FakeEncryption,
  fakeEncryption,
  type FakeEncryptionOptions,
} from "../unit/admin/fake_encryption.ts";
import {
  fakeNode,
  recordingAudit,
  recordingLog,
  VITALS,
} from "../unit/admin/fake_node.ts";

export const TOKEN = "admin-token-123";
export const HEADERS = { authorization: `Bearer ${TOKEN}` };
export const SERVICE = "sealkv.admin.v1.EncryptionAdmin";
export const KEK = "file:3f2a91d0c4b7e865";

export interface Served {
  readonly url: string;
  readonly encryption: FakeEncryption;
  readonly records: readonly AuditRecord[];
}

/** Runs `body` with a server of its own on a real socket. */
export async function withServer(
  options: FakeEncryptionOptions,
  body: (served: Served) => Promise<void>,
) {
  const encryption = fakeEncryption(options);
  const audit = recordingAudit();
  const log = recordingLog();
  const listener = await denoHttpServer().serve(
    { hostname: "127.0.0.1", port: 0 },
    adminHandler({
      node: fakeNode(),
      encryption,
      audit,
      vitals: () => Promise.resolve(VITALS),
      isAdminToken: (token) => Promise.resolve(token === TOKEN),
      clock: denoClock(),
      log,
      stopping: new AbortController().signal,
    }),
  );
  try {
    const url = `http://127.0.0.1:${listener.address.port}`;
    await body({ url, encryption, records: audit.records });
  } finally {
    await listener.shutdown(5_000);
  }
  const failures = log.events.filter((event) => event.startsWith("error "));
  assert.deepEqual(failures, []);
}

/** Calls with Connect JSON. */
export async function call(
  url: string,
  rpc: string,
  body: object | string,
  headers: Record<string, string> = HEADERS,
) {
  const response = await fetch(`${url}/${SERVICE}/${rpc}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, json: await response.json() };
}
