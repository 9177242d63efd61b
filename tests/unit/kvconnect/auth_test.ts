import assert from "node:assert/strict";
import { AccessTokenSigner } from "../../../src/app/token_signer.ts";
import { encodeReadRequest } from "../../../src/kvconnect/client_codec.ts";
import { Fixture } from "./fixture.ts";

const READ = encodeReadRequest([]);
const HOUR_MS = 3_600_000;

async function status(
  fixture: Fixture,
  headers: Record<string, string> = {},
  database?: string,
): Promise<number> {
  const response = await fixture.call("snapshot_read", READ, {
    headers,
    ...(database === undefined ? {} : { database }),
  });
  const text = await response.text();
  if (response.status === 400) assert.doesNotMatch(text, /authorization/i);
  return response.status;
}

Deno.test("a data token works for its validity and grace", async () => {
  const fixture = new Fixture();
  const { token, databaseId } = await fixture.metadata();
  const headers = {
    authorization: `Bearer ${token}`,
    "x-denokv-database-id": databaseId,
  };
  assert.equal(await status(fixture, headers), 200);
  fixture.clock.advance(48 * HOUR_MS);
  assert.equal(await status(fixture, headers), 200);
  fixture.clock.advance(HOUR_MS + 1);
  assert.equal(await status(fixture, headers), 401);
  const restarted = new Fixture();
  restarted.clock.nowMs = fixture.clock.nowMs;
  assert.equal(await status(restarted, headers), 401);
});

Deno.test("a data token works on any member and after a restart", async () => {
  const { token } = await new Fixture().metadata();
  const other = new Fixture();
  const headers = { authorization: `Bearer ${token}` };
  assert.equal(await status(other, headers), 200);
});

Deno.test("exchanges of one hour give one token, later ones another", async () => {
  const fixture = new Fixture();
  const { token } = await fixture.metadata();
  fixture.clock.advance(1);
  const next = await fixture.metadata();
  fixture.clock.advance(HOUR_MS - 2);
  assert.equal((await fixture.metadata()).token, next.token);
  fixture.clock.advance(2);
  assert.notEqual((await fixture.metadata()).token, next.token);
  assert.equal(
    await status(fixture, { authorization: `Bearer ${token}` }),
    200,
  );
});

Deno.test("a data token of another database, token or cluster is refused", async () => {
  const fixture = new Fixture();
  const { token } = await fixture.metadata("/db/a");
  const headers = { authorization: `Bearer ${token}` };
  assert.equal(await status(fixture, headers, "a"), 200);
  assert.equal(await status(fixture, headers, "b"), 401);
  assert.equal(await status(fixture, headers), 401);
  const rotated = new Fixture({
    signer: new AccessTokenSigner("another-access-token"),
  });
  const foreign = await rotated.send(
    new Request("http://kv.test/db/a/v2/snapshot_read", {
      method: "POST",
      headers,
    }),
  );
  assert.equal(foreign.status, 401);
  const cluster = new Fixture();
  cluster.node.clusterIdNow = new Uint8Array(16);
  assert.equal(await status(cluster, headers, "a"), 401);
});

const WRONG_TOKENS: [name: string, change: (token: string) => string][] = [
  ["no token", () => ""],
  ["no scheme", (token) => token],
  ["another scheme", (token) => `Basic ${token}`],
  [
    "a flipped bit",
    (token) => `Bearer ${token.slice(0, -1)}${token.endsWith("0") ? "1" : "0"}`,
  ],
  ["a later expiry", (token) => `Bearer 9${token}`],
  ["a longer MAC", (token) => `Bearer ${token}0`],
  ["no MAC", (token) => `Bearer ${token.split(".")[0]}.`],
  ["the access token", () => "Bearer correct-horse-battery"],
];

for (const [name, change] of WRONG_TOKENS) {
  Deno.test(`a data call with ${name} is a 401`, async () => {
    const fixture = new Fixture();
    const { token } = await fixture.metadata();
    // Also after the right one was seen and is remembered.
    assert.equal(await status(fixture), 200);
    assert.equal(await status(fixture, { authorization: change(token) }), 401);
    assert.equal(fixture.node.reads.length, 1);
  });
}

Deno.test("a data call with a lower-case scheme works", async () => {
  const fixture = new Fixture();
  const { token } = await fixture.metadata();
  assert.equal(
    await status(fixture, { authorization: `bearer ${token}` }),
    200,
  );
});

Deno.test("a token is verified once and then looked up", async () => {
  let verified = 0;
  const inner = new AccessTokenSigner("correct-horse-battery");
  const fixture = new Fixture({
    signer: {
      isAccessToken: (given) => inner.isAccessToken(given),
      sign: (id, message) => inner.sign(id, message),
      verify: (id, message, mac) => {
        verified += 1;
        return inner.verify(id, message, mac);
      },
      sha256: (bytes) => inner.sha256(bytes),
    },
  });
  for (let i = 0; i < 5; i += 1) assert.equal(await status(fixture), 200);
  assert.equal(verified, 1);
});
