/*
 * Goal: clients that are not ours reach the admin service.
 * Method: curl over HTTP/1.1 and HTTP/2 cleartext, connect-web with protobuf
 * and gRPC-Web, against a real socket.
 */
import assert from "node:assert/strict";
import { createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-web";
import { ClusterAdmin } from "../../src/admin/gen/admin_pb.ts";
import { adminHandler } from "../../src/admin/handler.ts";
import { fakeNode, recordingLog } from "../unit/admin/fake_node.ts";

const TOKEN = "admin-token-123";

for (const version of ["--http1.1", "--http2-prior-knowledge"]) {
  Deno.test(`curl ${version} reads GetStatus`, () =>
    withServer(async (url) => {
      const { stdout, stderr } = await new Deno.Command("curl", {
        args: ["-sS", version, "-H", "content-type: application/json"]
          .concat("-H", `authorization: Bearer ${TOKEN}`, "-d", "{}")
          .concat(`${url}/sealkv.admin.v1.ClusterAdmin/GetStatus`),
      }).output();
      const text = new TextDecoder().decode(stdout);
      assert.ok(text.startsWith("{"), new TextDecoder().decode(stderr));
      assert.equal(JSON.parse(text).cluster, "prod-eu-1");
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
  Deno.test(`connect-web reads GetStatus over ${name}`, () =>
    withServer(async (url) => {
      const client = createClient(ClusterAdmin, make(url));
      const headers = { authorization: `Bearer ${TOKEN}` };
      const status = await client.getStatus({}, { headers });
      assert.equal(status.cluster, "prod-eu-1");
      assert.equal(status.commit, 2n ** 53n - 1n);
      await assert.rejects(client.getStatus({}), /unauthenticated/);
    }));
}

async function withServer(body: (url: string) => Promise<void>) {
  const handle = adminHandler({
    node: fakeNode(),
    isAdminToken: (token) => Promise.resolve(token === TOKEN),
    log: recordingLog(),
  });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request, { remoteAddr }) => handle(request, remoteAddr),
  );
  try {
    await body(`http://127.0.0.1:${server.addr.port}`);
  } finally {
    await server.shutdown();
  }
}
