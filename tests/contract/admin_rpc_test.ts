/*
 * Goal: clients that are not ours reach every call of the admin service.
 * Method: curl over HTTP/1.1 and HTTP/2 cleartext, connect-web with JSON,
 * protobuf and gRPC-Web, against a real socket of our own server.
 */
import assert from "node:assert/strict";
import {
  Code,
  ConnectError,
  createClient,
  type Transport,
} from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-web";
import { ErrorInfoSchema } from "../../src/admin/gen/error_info_pb.ts";
import { ClusterAdmin } from "../../src/admin/gen/admin_pb.ts";
import { adminHandler } from "../../src/admin/handler.ts";
import { denoClock } from "../../src/io/deno/clock.ts";
import { denoHttpServer } from "../../src/io/deno/http.ts";
import { NotLeaderError } from "../../src/node/member_errors.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import { fakeEncryption } from "../unit/admin/fake_encryption.ts";
import {
  type FakeNode,
  fakeNode,
  PLAN_HASH,
  planOf,
  recordingAudit,
  recordingLog,
  VITALS,
} from "../unit/admin/fake_node.ts";

const TOKEN = "admin-token-123";
const HEADERS = { authorization: `Bearer ${TOKEN}` };
const COPY = Uint8Array.from({ length: 200_000 }, (_, i) => i * 31);
const SERVICE = "sealkv.admin.v1.ClusterAdmin";
const VERSIONS = ["--http1.1", "--http2-prior-knowledge"];

interface Served {
  readonly url: string;
  readonly node: FakeNode;
  /** As a node that stops: streams end, then the listener. */
  stop(): Promise<void>;
}

async function withServer(body: (served: Served) => Promise<void>) {
  const node = fakeNode({
    change(request, terms) {
      if (request.name !== "n9") return planOf(request, terms);
      throw new NotLeaderError("n2", "127.0.0.1:4524");
    },
    async *backup(): AsyncGenerator<Bytes> {
      yield COPY;
    },
  });
  const stopping = new AbortController();
  const log = recordingLog();
  const listener = await denoHttpServer().serve(
    { hostname: "127.0.0.1", port: 0 },
    adminHandler({
      encryption: fakeEncryption(),
      audit: recordingAudit(),
      node,
      vitals: () => Promise.resolve(VITALS),
      isAdminToken: (token) => Promise.resolve(token === TOKEN),
      clock: denoClock(),
      log,
      stopping: stopping.signal,
    }),
  );
  const url = `http://127.0.0.1:${listener.address.port}`;
  const stop = async () => {
    stopping.abort();
    await listener.shutdown(5_000);
  };
  try {
    await body({ url, node, stop });
  } finally {
    await stop();
  }
  const failures = log.events.filter((event) => event.startsWith("error "));
  assert.deepEqual(failures, []);
}

async function curl(args: readonly string[], input?: Uint8Array) {
  const child = new Deno.Command("curl", {
    args: ["-sS", "-H", `authorization: Bearer ${TOKEN}`, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  if (input !== undefined) await writer.write(input);
  await writer.close();
  const { stdout, stderr } = await child.output();
  assert.ok(stdout.length > 0, new TextDecoder().decode(stderr));
  return stdout;
}

const UNARY: [rpc: string, body: string, expected: object][] = [
  [
    "AddMember",
    '{"name":"n4","peerAddress":"127.0.0.1:4543","promote":true}',
    { memberId: "17", changed: true },
  ],
  ["PromoteMember", '{"name":"n4","dryRun":true}', { memberId: "17" }],
  [
    "RemoveMember",
    '{"name":"n4","confirm":"prod-eu-1","accept":["quorum-loss"]}',
    {
      memberId: "17",
      changed: true,
    },
  ],
  ["TransferLeader", "{}", { memberId: "17", changed: true }],
];

for (const version of VERSIONS) {
  const json = [version, "-H", "content-type: application/json"];
  const stream = [version, "-H", "content-type: application/connect+json"]
    .concat("--data-binary", "@-");

  Deno.test(`curl ${version} reads GetStatus`, () =>
    withServer(async ({ url }) => {
      const text = await curl([
        ...json,
        "-d",
        "{}",
        `${url}/${SERVICE}/GetStatus`,
      ]);
      const status = JSON.parse(new TextDecoder().decode(text));
      assert.equal(status.cluster, "prod-eu-1");
      assert.equal(status.members[0].adminAddress, "127.0.0.1:4514");
    }));

  for (const [rpc, body, expected] of UNARY) {
    Deno.test(`curl ${version} calls ${rpc}`, () =>
      withServer(async ({ url }) => {
        const text = await curl([
          ...json,
          "-d",
          body,
          `${url}/${SERVICE}/${rpc}`,
        ]);
        const { change } = JSON.parse(new TextDecoder().decode(text));
        const { plan, ...rest } = change;
        assert.equal(plan.hash, PLAN_HASH);
        assert.deepEqual(rest, expected);
      }));
  }

  Deno.test(`curl ${version} learns the leader from an error`, () =>
    withServer(async ({ url }) => {
      const body = '{"name":"n9"}';
      const text = await curl([
        ...json,
        "-d",
        body,
        `${url}/${SERVICE}/RemoveMember`,
      ]);
      const { code, details } = JSON.parse(new TextDecoder().decode(text));
      assert.equal(code, "failed_precondition");
      const { reason, metadata } = details[0].debug;
      assert.equal(reason, "NODE_NOT_LEADER");
      assert.equal(metadata.leader_admin, "127.0.0.1:4524");
    }));

  Deno.test(`curl ${version} takes a backup`, () =>
    withServer(async ({ url }) => {
      const request = envelope("{}");
      const messages = envelopes(
        await curl([...stream, `${url}/${SERVICE}/Backup`], request),
      );
      const end = messages.pop();
      assert.deepEqual(end, { isEnd: true, json: {} });
      const pieces = messages.map(({ json }) =>
        Uint8Array.from(atob(String(json["piece"])), (c) => c.charCodeAt(0))
      );
      assert.ok(pieces.every(({ length }) => length <= 65_536));
      assert.deepEqual(
        new Uint8Array(await new Blob(pieces).arrayBuffer()),
        COPY,
      );
    }));

  Deno.test(`curl ${version} watches until the node stops`, () =>
    withServer(async ({ url, node, stop }) => {
      const watching = curl([
        ...stream,
        "--no-buffer",
        `${url}/${SERVICE}/WatchStatus`,
      ], envelope("{}"));
      await until(() => node.watcherCount === 1);
      await stop();
      const messages = envelopes(await watching);
      assert.deepEqual(messages.pop(), { isEnd: true, json: {} });
      const status = messages[0]?.json["status"] as Record<string, unknown>;
      assert.equal(status["cluster"], "prod-eu-1");
      assert.equal(node.watcherCount, 0);
    }));

  Deno.test(`curl ${version} that dies leaves no watch behind`, () =>
    withServer(async ({ url, node }) => {
      const child = new Deno.Command("curl", {
        args: [version, "-N", "-sS", "-H", `authorization: Bearer ${TOKEN}`]
          .concat("-H", "content-type: application/connect+json")
          .concat("--data-binary", "@-", `${url}/${SERVICE}/WatchStatus`),
        stdin: "piped",
        stdout: "null",
        stderr: "null",
      }).spawn();
      const writer = child.stdin.getWriter();
      await writer.write(envelope("{}"));
      await writer.close();
      await until(() => node.watcherCount === 1);
      child.kill("SIGKILL");
      await child.status;
      await until(() => node.watcherCount === 0);
    }));
}

const TRANSPORTS: [name: string, make: (baseUrl: string) => Transport][] = [
  ["Connect, JSON", (baseUrl) => createConnectTransport({ baseUrl })],
  [
    "Connect, protobuf",
    (baseUrl) => createConnectTransport({ baseUrl, useBinaryFormat: true }),
  ],
  ["gRPC-Web", (baseUrl) => createGrpcWebTransport({ baseUrl })],
];
for (const [name, make] of TRANSPORTS) {
  Deno.test(`connect-web calls everything over ${name}`, () =>
    withServer(async ({ url }) => {
      const client = createClient(ClusterAdmin, make(url));
      const options = { headers: HEADERS };
      const status = await client.getStatus({}, options);
      assert.equal(status.commit, 2n ** 53n - 1n);
      await assert.rejects(client.getStatus({}), /unauthenticated/);
      const peerAddress = "127.0.0.1:4543";
      const replies = [
        await client.addMember({ name: "n4", peerAddress }, options),
        await client.promoteMember({ name: "n4" }, options),
        await client.removeMember({ name: "n4" }, options),
        await client.transferLeader({}, options),
      ];
      for (const { change } of replies) {
        assert.equal(change?.memberId, 17n);
        assert.equal(change.plan?.hash, PLAN_HASH);
      }
      const parts: Uint8Array[] = [];
      for await (const { piece } of client.backup({}, options)) {
        parts.push(piece);
      }
      assert.deepEqual(
        new Uint8Array(await new Blob(parts as Bytes[]).arrayBuffer()),
        COPY,
      );
    }));

  Deno.test(`connect-web reads ErrorInfo over ${name}`, () =>
    withServer(async ({ url }) => {
      const client = createClient(ClusterAdmin, make(url));
      await assert.rejects(
        client.removeMember({ name: "n9" }, { headers: HEADERS }),
        (error) => {
          assert.ok(error instanceof ConnectError);
          assert.equal(error.code, Code.FailedPrecondition);
          const [info] = error.findDetails(ErrorInfoSchema);
          assert.equal(info?.metadata["leader"], "n2");
          return true;
        },
      );
      await assert.rejects(async () => {
        for await (const _ of client.watchStatus({})) assert.fail("no token");
      }, /unauthenticated/);
    }));

  Deno.test(`connect-web watches over ${name} and leaves nothing behind`, () =>
    withServer(async ({ url, node }) => {
      const client = createClient(ClusterAdmin, make(url));
      const leave = new AbortController();
      const options = { headers: HEADERS, signal: leave.signal };
      let count = 0;
      await assert.rejects(async () => {
        for await (const { status } of client.watchStatus({}, options)) {
          assert.equal(status?.cluster, "prod-eu-1");
          assert.equal(node.watcherCount, 1);
          count += 1;
          if (count === 3) leave.abort();
          node.changed();
        }
      }, /canceled/);
      await until(() => node.watcherCount === 0);
    }));
}

/** One message of the Connect protocol for streams. */
function envelope(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  return Uint8Array.of(0, 0, 0, 0, bytes.length, ...bytes);
}

interface Envelope {
  readonly isEnd: boolean;
  readonly json: Record<string, unknown>;
}

function envelopes(bytes: Uint8Array): Envelope[] {
  const messages: Envelope[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let at = 0; at < bytes.length;) {
    const length = view.getUint32(at + 1);
    const text = new TextDecoder().decode(
      bytes.subarray(at + 5, at + 5 + length),
    );
    messages.push({ isEnd: bytes[at] === 2, json: JSON.parse(text) });
    at += 5 + length;
  }
  return messages;
}

/** Waits for what another connection brings about; the test's end bounds it. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}
