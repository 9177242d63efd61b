import assert from "node:assert/strict";
import {
  makeAdminClient,
  type StatusEvent,
} from "../../../src/admin/client.ts";
import { adminHandler } from "../../../src/admin/handler.ts";
import type { Bytes } from "../../../src/base/bytes.ts";
import { SimClock } from "../../sim/io/clock.ts";
import { fakeEncryption } from "./fake_encryption.ts";
import {
  type FakeNode,
  fakeNode,
  recordingAudit,
  recordingLog,
  STATUS,
  VITALS,
} from "./fake_node.ts";

const TOKEN = "admin-token-123";

/**
 * Members at h:1 and on; `null` takes no connection, "mute" never answers.
 * Time of the members stands still unless `isTicking`.
 */
function watching(
  nodes: readonly (FakeNode | "mute" | null)[],
  { isTicking } = { isTicking: true },
) {
  const clock = new SimClock();
  const stops = nodes.map(() => new AbortController());
  const dialled: number[] = [];
  const client = makeAdminClient({
    actor: "ana@laptop",
    admin: nodes.map((_, position) => `h:${position + 1}`).join(),
    ...{ token: TOKEN, isTls: false, timeoutMs: 5_000, clock },
    http: {
      async fetch(request) {
        const position = Number(new URL(request.url).port) - 1;
        dialled.push(position + 1);
        const node = nodes[position] ?? null;
        if (node === null) throw new TypeError("connection refused");
        if (node === "mute") return await untilAborted(request.signal);
        return await adminHandler({
          encryption: fakeEncryption(),
          audit: recordingAudit(),
          node,
          vitals: () => Promise.resolve(VITALS),
          isAdminToken: (token) => Promise.resolve(token === TOKEN),
          clock: isTicking ? clock : new SimClock(),
          log: recordingLog(),
          stopping: stops[position]?.signal ?? new AbortController().signal,
        })(request, { hostname: "h", port: 1 });
      },
      close() {},
    },
  });
  const stop = new AbortController();
  const stream = client.watchStatus(stop.signal)[Symbol.asyncIterator]();
  /** The next event; time passes until it is there. */
  const next = async (): Promise<StatusEvent | null> => {
    let isDone = false;
    const event = stream.next().finally(() => isDone = true);
    event.catch(() => {});
    for (let turn = 0; !isDone && turn < 1_000; turn += 1) {
      // Streams of the platform need real turns of the loop.
      await new Promise((resolve) => setTimeout(resolve));
      if (!isDone) clock.step();
    }
    const { value, done } = await event;
    return done === true ? null : value;
  };
  return { clock, client, dialled, stops, stop, next };
}

function untilAborted(signal: AbortSignal): Promise<Response> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}

const named = (node: string) =>
  fakeNode({ status: () => ({ ...STATUS, node }) });

function nodeOf(event: StatusEvent | null): string {
  return event?.kind === "status" ? event.status.node : String(event?.kind);
}

Deno.test("watchStatus() tells the status, and again", async () => {
  const { next, stop, clock } = watching([named("n1")]);
  assert.equal(nodeOf(await next()), "n1");
  assert.equal(nodeOf(await next()), "n1");
  stop.abort();
  assert.equal(await next(), null);
  assert.equal(clock.nextAtMs(), null);
});

Deno.test("watchStatus() goes to the next member when one ends or is down", async () => {
  const { next, stop, stops, dialled } = watching([
    null,
    named("n2"),
    named("n3"),
  ]);
  assert.equal(nodeOf(await next()), "n2");
  stops[1]?.abort();
  assert.equal(nodeOf(await next()), "n3");
  assert.deepEqual(dialled, [1, 2, 3]);
  stop.abort();
  assert.equal(await next(), null);
});

Deno.test("watchStatus() marks silence once a round and goes on", async () => {
  const { next, stop, dialled } = watching([null, null]);
  const first = await next();
  assert.equal(first?.kind, "silence");
  assert.deepEqual(dialled, [1, 2]);
  const second = await next();
  assert.ok(first?.kind === "silence" && second?.kind === "silence");
  assert.match(second.reason, /^http:\/\/h:2: /);
  assert.ok(second.sinceMs > first.sinceMs);
  stop.abort();
  assert.equal(await next(), null);
});

Deno.test("watchStatus() leaves a member that never answers", async () => {
  const { next, stop, dialled, clock } = watching(["mute", named("n2")]);
  assert.equal(nodeOf(await next()), "n2");
  assert.deepEqual(dialled, [1, 2]);
  assert.equal(clock.monotonicMs(), 5_000);
  stop.abort();
  assert.equal(await next(), null);
});

Deno.test("watchStatus() leaves a member that falls silent", async () => {
  const { next, stop, dialled, clock } = watching(
    [named("n1"), named("n2")],
    { isTicking: false },
  );
  assert.equal(nodeOf(await next()), "n1");
  assert.equal(nodeOf(await next()), "n2");
  assert.deepEqual(dialled, [1, 2]);
  assert.ok(clock.monotonicMs() >= 5_000);
  stop.abort();
  assert.equal(await next(), null);
});

Deno.test("watchStatus() throws what a member refuses with", async () => {
  const refused = makeAdminClient({
    ...{ admin: "h:1", token: "another-token", isTls: false, timeoutMs: 5_000 },
    actor: "",
    clock: new SimClock(),
    http: {
      fetch: async (request) =>
        await adminHandler({
          encryption: fakeEncryption(),
          audit: recordingAudit(),
          node: named("n1"),
          vitals: () => Promise.resolve(VITALS),
          isAdminToken: (token) => Promise.resolve(token === TOKEN),
          clock: new SimClock(),
          log: recordingLog(),
          stopping: new AbortController().signal,
        })(request, { hostname: "h", port: 1 }),
      close() {},
    },
  });
  await assert.rejects(async () => {
    for await (const _ of refused.watchStatus()) assert.fail("no event");
  }, { code: "ADMIN_TOKEN_REJECTED" });
});

async function* pieces(...all: Bytes[]): AsyncGenerator<Bytes> {
  for (const piece of all) {
    await Promise.resolve();
    yield piece;
  }
}

Deno.test("backup() comes whole from the first member that answers", async () => {
  const bytes = Uint8Array.from({ length: 150_001 }, (_, i) => i * 7);
  const giving = fakeNode({ backup: () => pieces(bytes) });
  const { client, dialled } = watching([null, giving]);
  const parts: Uint8Array[] = [];
  for await (const part of client.backup()) parts.push(part.slice());
  assert.deepEqual(parts.map(({ length }) => length), [65_536, 65_536, 18_929]);
  assert.deepEqual(
    new Uint8Array(await new Blob(parts as Bytes[]).arrayBuffer()),
    bytes,
  );
  assert.deepEqual(dialled, [1, 2]);
});

Deno.test("backup() fails when the node stops amid it", async () => {
  async function* stuck(): AsyncGenerator<Bytes> {
    yield new Uint8Array(10);
    await new Promise(() => {});
  }
  const { client, stops } = watching([fakeNode({ backup: stuck })]);
  await assert.rejects(async () => {
    for await (const _ of client.backup()) stops[0]?.abort();
  }, { code: "ADMIN_STOPPING" });
});
