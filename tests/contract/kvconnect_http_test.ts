/*
 * The data plane over real sockets by other means than Deno.openKv: our own
 * client, HTTP/1.1 as bytes, and TLS with a certificate made here.
 */
import assert from "node:assert/strict";
import { toHex, utf8 } from "../../src/base/bytes.ts";
import type { HttpClientPort } from "../../src/io/http.ts";
import { KvConnectClient } from "../../src/kvconnect/client.ts";
import { ACCESS_TOKEN, Fixture } from "../unit/kvconnect/fixture.ts";

const KEY = utf8("\u0002a\0");
const VALUE = { data: utf8("value"), encoding: 3 } as const;
const SET = { kind: "set", key: KEY, value: VALUE, expireAtMs: 0 } as const;

interface Tls {
  readonly cert: string;
  readonly key: string;
}

async function serving(
  tls: Tls | null,
  run: (port: number, fixture: Fixture) => Promise<void>,
): Promise<void> {
  const fixture = new Fixture();
  const http = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {}, ...tls },
    (request, info) => fixture.server.handle(request, info.remoteAddr),
  );
  try {
    await run(http.addr.port, fixture);
  } finally {
    fixture.server.stop();
    await http.shutdown();
  }
}

async function exercise(
  url: string,
  http: Pick<HttpClientPort, "fetch">,
  fixture: Fixture,
): Promise<void> {
  const client = new KvConnectClient({
    url,
    accessToken: ACCESS_TOKEN,
    http,
    clock: fixture.clock,
  });
  const write = await client.atomicWrite({ checks: [], changes: [SET] });
  assert.equal(write.kind, "committed");
  const range = { start: KEY, end: utf8("\u0003"), limit: 9, reverse: false };
  const [entries] = await client.snapshotRead([range]);
  assert.deepEqual(entries?.map(({ value }) => value), [VALUE]);
  const stop = new AbortController();
  let seen = 0;
  for await (const [entry] of client.watch([KEY], stop.signal)) {
    seen += 1;
    if (entry === null) break;
    await client.atomicWrite({
      checks: [],
      changes: [{ kind: "delete", key: KEY }],
    });
  }
  assert.equal(seen, 2);
  stop.abort();
}

for (const [name, http2] of [["HTTP/1.1", false], ["HTTP/2", true]] as const) {
  Deno.test(`KvConnectClient reads, writes and watches over ${name}`, async () => {
    await serving(null, async (port, fixture) => {
      using client = Deno.createHttpClient({ http1: !http2, http2 });
      const port1 = {
        fetch: (request: Request) => fetch(request, { client }),
      };
      await exercise(`http://127.0.0.1:${port}`, port1, fixture);
      await exercise(`http://127.0.0.1:${port}/db/x`, port1, fixture);
    });
  });
}

const OPENSSL = [
  "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes",
  "-days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost",
  "-addext basicConstraints=critical,CA:false",
].join(" ").split(" ");

async function certificate(): Promise<Tls | null> {
  const dir = await Deno.makeTempDir();
  try {
    const { success } = await new Deno.Command("openssl", {
      args: [...OPENSSL, "-keyout", `${dir}/key`, "-out", `${dir}/cert`],
      stderr: "null",
    }).output();
    if (!success) return null;
    return {
      key: await Deno.readTextFile(`${dir}/key`),
      cert: await Deno.readTextFile(`${dir}/cert`),
    };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const tls = await certificate();

Deno.test({
  name: "KvConnectClient works over TLS, and only with the right name",
  ignore: tls === null,
  fn: async () => {
    await serving(tls, async (port, fixture) => {
      using client = Deno.createHttpClient({ caCerts: [tls!.cert] });
      const http = {
        fetch: (request: Request) => fetch(request, { client }),
      };
      await exercise(`https://localhost:${port}`, http, fixture);
      const wrong = exercise(`https://127.0.0.1:${port}`, http, fixture);
      await assert.rejects(wrong, /Cannot reach the server/);
    });
  },
});

Deno.test({
  name: "Deno.openKv() works over TLS",
  ignore: tls === null,
  fn: async () => {
    const dir = await Deno.makeTempDir();
    await Deno.writeTextFile(`${dir}/ca.pem`, tls!.cert);
    const program = `
      const kv = await Deno.openKv(Deno.args[0]);
      await kv.set(["a"], "over TLS");
      console.log((await kv.get(["a"])).value);
      kv.close();
    `;
    await Deno.writeTextFile(`${dir}/program.js`, program);
    await serving(tls, async (port) => {
      const { success, stdout, stderr } = await new Deno.Command(
        Deno.execPath(),
        {
          args: [
            "run",
            "-A",
            "--no-config",
            "--unstable-kv",
            `${dir}/program.js`,
            `https://localhost:${port}/db/tls`,
          ],
          env: {
            DENO_KV_ACCESS_TOKEN: ACCESS_TOKEN,
            DENO_CERT: `${dir}/ca.pem`,
            NO_COLOR: "1",
          },
        },
      ).output();
      assert.ok(success, new TextDecoder().decode(stderr));
      assert.equal(new TextDecoder().decode(stdout), "over TLS\n");
    });
    await Deno.remove(dir, { recursive: true });
  },
});

/** Sends raw bytes and returns all of the answer. */
async function exchange(port: number, text: string): Promise<string> {
  using connection = await Deno.connect({ port });
  await connection.write(utf8(text));
  const response = new Response(connection.readable);
  return await response.text();
}

Deno.test("plain HTTP/1.1 as Node sends it is served", async () => {
  await serving(null, async (port) => {
    const body = '{"supportedVersions":[1,2,3]}';
    const text = await exchange(
      port,
      [
        "POST /db/node HTTP/1.1",
        "host: localhost",
        "connection: close",
        `authorization: Bearer ${ACCESS_TOKEN}`,
        "content-type: application/json",
        "accept: */*",
        "accept-language: *",
        "sec-fetch-mode: cors",
        "user-agent: node",
        `content-length: ${body.length}`,
        "",
        body,
      ].join("\r\n"),
    );
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(text, /^content-type: application\/json\r$/mi);
    assert.match(text, /"version":3,.*"url":"\/db\/node\/v2"/);
  });
});

Deno.test("a chunked body is counted, a longer one refused", async () => {
  await serving(null, async (port, fixture) => {
    const { token, databaseId } = await fixture.metadata();
    const head = [
      "POST /v2/atomic_write HTTP/1.1",
      "host: localhost",
      "connection: close",
      `authorization: Bearer ${token}`,
      "x-denokv-version: 3",
      `x-denokv-database-id: ${databaseId}`,
      "transfer-encoding: chunked",
      "",
      "",
    ].join("\r\n");
    const empty = await exchange(port, `${head}0\r\n\r\n`);
    assert.match(empty, /^HTTP\/1\.1 200 OK/);
    const chunk = `10000\r\n${"a".repeat(65_536)}\r\n`;
    const large = await exchange(port, `${head}${chunk.repeat(33)}0\r\n\r\n`)
      .catch((error: unknown) => {
        // The refusal may reset the connection before it is read.
        assert.ok(error instanceof Error);
        return "HTTP/1.1 413";
      });
    assert.match(large, /^HTTP\/1\.1 413/);
    assert.equal(fixture.node.writes.length, 1);
  });
});

Deno.test("replies are not compressed, whatever the client accepts", async () => {
  await serving(null, async (port, fixture) => {
    await fixture.node.write({
      database: "",
      checks: [],
      changes: [{ ...SET, value: { ...VALUE, data: new Uint8Array(60_000) } }],
    });
    const { token, databaseId } = await fixture.metadata();
    const response = await fetch(`http://127.0.0.1:${port}/v2/snapshot_read`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "x-denokv-version": "3",
        "x-denokv-database-id": databaseId,
        "accept-encoding": "gzip, br",
      },
      // One range from 00 to ff, limit 5.
      body: new Uint8Array([10, 8, 10, 1, 0, 18, 1, 255, 24, 5]),
    });
    assert.equal(response.headers.get("content-encoding"), null);
    const bytes = new Uint8Array(await response.arrayBuffer());
    assert.ok(bytes.length > 60_000, toHex(bytes.subarray(0, 8)));
  });
});
