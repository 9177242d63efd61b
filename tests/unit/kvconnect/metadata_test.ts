import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { ACCESS_TOKEN, Fixture, type Metadata, REMOTE } from "./fixture.ts";

const CLUSTER_UUID = "01020304-0506-0708-090a-0b0c0d0e0f10";

Deno.test("a metadata exchange answers exactly the fields clients know", async () => {
  const fixture = new Fixture();
  const response = await fixture.exchange();
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "application/json");
  const metadata: Metadata = await response.json();
  assert.deepEqual(Object.keys(metadata).sort(), [
    "databaseId",
    "endpoints",
    "expiresAt",
    "token",
    "version",
  ]);
  assert.equal(metadata.version, 3);
  assert.equal(metadata.databaseId, CLUSTER_UUID);
  assert.deepEqual(metadata.endpoints, [{
    url: "/v2",
    consistency: "strong",
  }]);
  assert.match(metadata.token, /^[!-~]+$/);
  assert.match(metadata.expiresAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

Deno.test("a named database has its id from SHA-256 and its whole path", async () => {
  const fixture = new Fixture();
  const metadata = await fixture.metadata("/db/orders");
  const digest = createHash("sha256").update("sealkv db v1")
    .update(fixture.node.clusterId()!).update("orders").digest("hex");
  assert.equal(metadata.databaseId.replaceAll("-", ""), digest.slice(0, 32));
  assert.match(
    metadata.databaseId,
    /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  );
  assert.deepEqual(metadata.endpoints, [
    { url: "/db/orders/v2", consistency: "strong" },
  ]);
});

Deno.test("endpointBase makes endpoint URLs absolute", async () => {
  const fixture = new Fixture({ endpointBase: "https://kv.example:4512" });
  const metadata = await fixture.metadata("/db/x");
  assert.equal(
    metadata.endpoints[0]?.url,
    "https://kv.example:4512/db/x/v2",
  );
});

const VERSIONS: [body: string, status: number, version?: number][] = [
  ['{"supportedVersions":[1,2,3]}', 200, 3],
  ['{"supportedVersions":[1,2]}', 200, 2],
  ['{"supportedVersions":[2]}', 200, 2],
  ['{"supportedVersions":[3,4,99]}', 200, 3],
  ['{"supportedVersions":[3],"more":true}', 200, 3],
  ['{"supportedVersions":[1]}', 400],
  ['{"supportedVersions":[4]}', 400],
  ['{"supportedVersions":["3"]}', 400],
  ['{"supportedVersions":[]}', 400],
  ['{"supportedVersions":3}', 400],
  ["{}", 400],
  ["[]", 400],
  ["null", 400],
  ["{", 400],
  ["", 400],
  [" ".repeat(16 * 1024 + 1), 413],
];

for (const [body, status, version] of VERSIONS) {
  Deno.test(`a metadata exchange answers ${status} to ${body.slice(0, 40)}`, async () => {
    const response = await new Fixture().exchange("/", { body });
    assert.equal(response.status, status);
    const text = await response.text();
    if (version === undefined) assert.doesNotMatch(text, /authorization/i);
    else assert.equal(JSON.parse(text).version, version);
  });
}

const HEADERS: [authorization: string, status: number][] = [
  [`Bearer ${ACCESS_TOKEN}`, 200],
  [`bearer ${ACCESS_TOKEN}`, 200],
  [`Bearer ${ACCESS_TOKEN}x`, 401],
  ["Bearer ", 401],
  [ACCESS_TOKEN, 401],
  [`Basic ${ACCESS_TOKEN}`, 401],
  ["", 401],
];

for (const [authorization, status] of HEADERS) {
  Deno.test(`a metadata exchange answers ${status} to "${authorization}"`, async () => {
    const fixture = new Fixture();
    const response = await fixture.exchange("/", {
      headers: { authorization },
    });
    assert.equal(response.status, status);
  });
}

Deno.test("a metadata exchange before there is a cluster id is a 503", async () => {
  const fixture = new Fixture();
  const id = fixture.node.clusterIdNow;
  fixture.node.clusterIdNow = null;
  assert.equal((await fixture.exchange()).status, 503);
  fixture.node.clusterIdNow = id;
  assert.equal((await fixture.exchange()).status, 200);
});

const AGENTS: [name: string, headers: Record<string, string>, ms: number][] = [
  ["Deno", { "user-agent": "Deno/2.9.6" }, 40_000],
  ["@deno/kv on Deno", {
    "user-agent": "Deno/2.9.6",
    "accept-language": "*",
  }, 3_600_000],
  ["Node", { "user-agent": "node" }, 3_600_000],
  ["nobody", {}, 3_600_000],
];

for (const [name, headers, ms] of AGENTS) {
  Deno.test(`expiresAt for ${name} is ${ms / 1_000} s ahead`, async () => {
    const fixture = new Fixture();
    const response = await fixture.exchange("/", { headers });
    const { expiresAt } = await response.json();
    assert.equal(Date.parse(expiresAt) - fixture.clock.nowMs, ms);
  });
}

Deno.test("a hammering remote gets a day, others and later ones do not", async () => {
  const fixture = new Fixture();
  const ahead = async (remote = REMOTE) => {
    const response = await fixture.exchange("/", {
      headers: { "user-agent": "Deno/2.9.6" },
      remote,
    });
    const { expiresAt } = await response.json();
    return Date.parse(expiresAt) - fixture.clock.nowMs;
  };
  for (let i = 0; i < 10; i += 1) assert.equal(await ahead(), 40_000);
  assert.equal(await ahead(), 24 * 3_600_000);
  assert.equal(await ahead({ ...REMOTE, port: 1 }), 40_000);
  fixture.clock.advance(60_000);
  assert.equal(await ahead(), 40_000);
});
