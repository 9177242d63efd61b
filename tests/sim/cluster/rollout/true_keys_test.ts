// Goal: what the simulation takes for the truth about sealed entries is a
// reading of the format of its own, and finds values wherever they are.
//
// Method: the product wraps keys and seals entries; the second reader opens
// them, and nothing that differs in one byte.
import assert from "node:assert/strict";
import { utf8 } from "../../../../src/base/bytes.ts";
import { fullNodeId, node16Of } from "../../../../src/base/identity.ts";
import { commitmentOf, importDek } from "../../../../src/crypto/dek.ts";
import { NonceSequence } from "../../../../src/crypto/nonce.ts";
import { sealRaftEnvelope } from "../../../../src/crypto/raft_envelope.ts";
import { deriveSessionKey } from "../../../../src/crypto/session.ts";
import { NO_ENCRYPTION } from "../../../../src/fsm/types.ts";
import { LocalKek } from "../../../../src/keys/providers/local_kek.ts";
import { EMPTY_STATE } from "../../../../src/store/meta.ts";
import { SimRandom } from "../../io/random.ts";
import { kekBytes } from "../encryption/host_keys.ts";
import { canaryBytes, canaryText, findCanaries } from "./canary.ts";
import { TrueKeys } from "./true_keys.ts";

const CLUSTER = new Uint8Array(16).fill(7);
const SECRET = new Uint8Array(32).fill(3);
const KEY = 77;

async function learnt(): Promise<TrueKeys> {
  const kek = await LocalKek.of(kekBytes(2), new SimRandom(1));
  const name = { clusterId: CLUSTER, keyId: KEY, purpose: "raft" } as const;
  const wrapped = await kek.wrap(SECRET.slice(), { kind: "dek", ...name });
  const keys = new Map([[KEY, {
    id: KEY,
    purpose: "raft" as const,
    commitment: await commitmentOf(await importDek(SECRET.slice()), name),
    createdMs: 1,
    wraps: [{ kek: kek.id, wrapped }],
    createdIndex: 5,
    deactivatedIndex: 0,
  }]]);
  const encryption = { ...NO_ENCRYPTION, keys };
  const learnt = new TrueKeys();
  learnt.learn({ ...EMPTY_STATE.fsm, clusterId: CLUSTER, encryption });
  return learnt;
}

async function seal(payload: string): Promise<Uint8Array<ArrayBuffer>> {
  const node16 = node16Of(fullNodeId("n1"));
  const salt = new Uint8Array(16).fill(9);
  const name = { clusterId: CLUSTER, keyId: KEY, node16, epoch: 4, salt };
  const dek = await importDek(SECRET.slice());
  const key = await deriveSessionKey(dek, { ...name, purpose: "raft" });
  const nonces = new NonceSequence(node16, 4);
  return await sealRaftEnvelope({ ...name, key, nonces }, utf8(payload));
}

Deno.test("the second reader opens what the product sealed", async () => {
  const keys = await learnt();
  assert.deepEqual(keys.dek(KEY), SECRET);
  const opened = keys.openRaft(CLUSTER, await seal("an entry"));
  assert.deepEqual(opened, utf8("an entry"));
});

Deno.test("the second reader opens nothing else", async () => {
  const keys = await learnt();
  const envelope = await seal("an entry");
  for (let at = 0; at < envelope.length; at += 1) {
    const changed = envelope.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.equal(keys.openRaft(CLUSTER, changed), null, `byte ${at}`);
  }
  assert.equal(keys.openRaft(CLUSTER, utf8("\x01 a batch")), null);
  assert.equal(keys.openRaft(new Uint8Array(16), envelope), null);
  assert.equal(new TrueKeys().openRaft(CLUSTER, envelope), null);
});

Deno.test("canaries are found in any bytes", () => {
  const one = canaryBytes("c1.17");
  assert.equal(canaryText(new TextDecoder().decode(one)), "c1.17");
  assert.equal(canaryText("c1.17"), "c1.17");
  const bytes = new Uint8Array(200);
  bytes.set(one, 3);
  bytes.set(canaryBytes("mark.n1.2"), 90);
  assert.deepEqual(findCanaries(bytes.subarray(1)), ["c1.17", "mark.n1.2"]);
  assert.deepEqual(findCanaries(bytes.subarray(4)), ["mark.n1.2"]);
  // A write that is cut off still shows what it is of.
  assert.equal(findCanaries(one.subarray(0, 15)).length, 1);
});
