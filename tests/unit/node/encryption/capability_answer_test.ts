import assert from "node:assert/strict";
import { fullNodeId } from "../../../../src/base/identity.ts";
import { VERSION } from "../../../../src/base/version.ts";
import { verifyProof } from "../../../../src/crypto/capability.ts";
import type { KeyCustody } from "../../../../src/keys/port.ts";
import { answerCapability } from "../../../../src/node/encryption/capability_answer.ts";
import { decodeStatement } from "../../../../src/node/encryption/capability_statement.ts";
import type { CapabilityAsk } from "../../../../src/node/encryption_port.ts";
import { PROTOCOL_VERSION } from "../../../../src/transport/port.ts";
import { SimDisk } from "../../../sim/io/disk.ts";
import { bootstrapped, noRow } from "../../keys/custody_harness.ts";
import { CLUSTER_ID } from "../../keys/sample_keys.ts";
import { TestKek } from "../../keys/test_kek.ts";
import { custodyOf } from "./fan_out_bench.ts";

const CHALLENGE = new Uint8Array(32).fill(9);
const OWN = fullNodeId("n2");

/** A leader's question to n2, under the KEKs of these bytes. */
async function askOf(
  { under = [7], ...given }:
    & Partial<CapabilityAsk>
    & { readonly under?: readonly number[] } = {},
): Promise<CapabilityAsk> {
  const asked = { clusterId: CLUSTER_ID, term: 7, target: OWN, ...given };
  const keks = await Promise.all(under.map((byte) => TestKek.of(byte)));
  const leader = await custodyOf("n1", keks);
  const context = { kind: "challenge", ...asked } as const;
  const challenges = await leader.wrapChallenge(CHALLENGE, context, []);
  return { ...asked, challenges };
}

async function memberOf(
  { custody, ...given }: {
    readonly clusterId?: typeof CLUSTER_ID | null;
    readonly custody?: KeyCustody;
  } = {},
) {
  return {
    name: "n2",
    clusterId: CLUSTER_ID,
    custody: custody ?? await custodyOf("n2", [await TestKek.of(7)]),
    ...given,
  };
}

Deno.test("answerCapability() says what is so, and proves it", async () => {
  const keks = [await TestKek.of(7)];
  const custody = await custodyOf("n2", keks);
  const shared = await bootstrapped(keks, { index: 10 });
  await custody.absorb(CLUSTER_ID, shared, noRow);
  const member = await memberOf({ custody });
  const { statement, proof } = await answerCapability(await askOf(), member);
  assert.ok(await verifyProof(CHALLENGE, statement, proof));
  assert.deepEqual(decodeStatement(statement), {
    protocolVersion: PROTOCOL_VERSION,
    build: VERSION,
    node: "n2",
    fullNodeId: OWN,
    epochs: custody.epochs(),
    sidecarIndex: 10,
    isEnabled: true,
    isFilesystemFit: true,
    term: 7,
    clusterId: CLUSTER_ID,
  });
  assert.equal(custody.epochs().size, 3);
});

Deno.test("answerCapability() of a member without keys has no sidecar", async () => {
  const { statement } = await answerCapability(await askOf(), await memberOf());
  const { sidecarIndex, epochs } = decodeStatement(statement)!;
  assert.deepEqual([sidecarIndex, epochs.size], [null, 0]);
});

Deno.test("answerCapability() opens any one of the challenges", async () => {
  const ask = await askOf({ under: [5, 6, 7] });
  const { statement, proof } = await answerCapability(ask, await memberOf());
  assert.ok(await verifyProof(CHALLENGE, statement, proof));
});

Deno.test("answerCapability() of a member that knows of no cluster answers for the one it is asked for", async () => {
  const clusterId = new Uint8Array(16).fill(77);
  const ask = await askOf({ clusterId });
  const member = await memberOf({ clusterId: null });
  const { statement, proof } = await answerCapability(ask, member);
  assert.deepEqual(decodeStatement(statement)!.clusterId, clusterId);
  assert.ok(await verifyProof(CHALLENGE, statement, proof));
});

const UNPROVEN: [
  name: string,
  given: () => Promise<{
    readonly ask?: CapabilityAsk;
    readonly custody?: KeyCustody;
  }>,
][] = [
  ["asked in another's name", async () => ({
    ask: await askOf({ target: fullNodeId("n3") }),
  })],
  ["asked in another cluster", async () => ({
    ask: await askOf({ clusterId: new Uint8Array(16) }),
  })],
  ["asked without a challenge", async () => ({
    ask: { ...await askOf(), challenges: [] },
  })],
  [
    "asked under another KEK",
    async () => ({ ask: await askOf({ under: [8] }) }),
  ],
  ["asked with a challenge of another term", async () => ({
    ask: { ...await askOf(), term: 8 },
  })],
  ["with a damaged challenge", async () => {
    const ask = await askOf();
    ask.challenges[0]!.wrapped[20]! ^= 1;
    return { ask };
  }],
  ["without a KEK", async () => ({ custody: await custodyOf("n2", []) })],
  ["whose KEK is down", async () => {
    const kek = await TestKek.of(7);
    kek.isDown = true;
    return { custody: await custodyOf("n2", [kek]) };
  }],
  ["whose KEK opens less than a challenge", async () => {
    const kek = await TestKek.of(7);
    const unwrap = () => Promise.resolve(new Uint8Array(31));
    const short = { id: kek.id, wrap: kek.wrap.bind(kek), unwrap };
    return { custody: await custodyOf("n2", [short]) };
  }],
];
for (const [name, given] of UNPROVEN) {
  Deno.test(`answerCapability() of a member ${name} proves nothing`, async () => {
    const { ask = await askOf(), custody } = await given();
    const member = await memberOf(custody === undefined ? {} : { custody });
    const { statement, proof } = await answerCapability(ask, member);
    assert.equal(proof.length, 0);
    const { node, clusterId } = decodeStatement(statement)!;
    assert.deepEqual([node, clusterId], ["n2", CLUSTER_ID], "its own");
  });
}

Deno.test("answerCapability() says that the flag is missing, KEK or not", async () => {
  for (const keks of [[], [await TestKek.of(7)]]) {
    const custody = await custodyOf("n2", keks, { isEnabled: false });
    const member = await memberOf({ custody });
    const { statement, proof } = await answerCapability(await askOf(), member);
    assert.equal(decodeStatement(statement)!.isEnabled, false);
    assert.equal(proof.length > 0, keks.length > 0);
  }
});

Deno.test("answerCapability() looks at the filesystem anew each time", async () => {
  const disk = new SimDisk({ seed: 1 });
  const custody = await custodyOf("n2", [await TestKek.of(7)], { disk });
  const member = await memberOf({ custody });
  const ask = await askOf();
  const said = async () =>
    decodeStatement((await answerCapability(ask, member)).statement)!
      .isFilesystemFit;
  assert.equal(await said(), true);
  const { capacityBytes } = disk;
  disk.capacityBytes = 0;
  assert.equal(await said(), false);
  disk.capacityBytes = capacityBytes;
  assert.equal(await said(), true);
});
