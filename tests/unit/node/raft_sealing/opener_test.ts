import assert from "node:assert/strict";
import type { Bytes } from "../../../../src/base/bytes.ts";
import { encodeEncryption } from "../../../../src/fsm/encryption_payload.ts";
import { encodeClock } from "../../../../src/fsm/payload.ts";
import { RaftOpener } from "../../../../src/node/raft_sealing/opener.ts";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import {
  BOOTSTRAP,
  ENABLE_RAFT,
  ENABLE_STORAGE,
  founded,
  RAFT,
  stateAfter,
} from "../../fsm/encryption_fixtures.ts";
import { dekOf, sealed } from "./sealed_entries.ts";

useTurnCrypto();

const FSM = founded(stateAfter(BOOTSTRAP, ENABLE_STORAGE, ENABLE_RAFT));
const CLOCK = encodeClock(7);

async function opening() {
  const dek = await dekOf(RAFT);
  const asked: number[] = [];
  const opener = new RaftOpener({
    name: "n1",
    custody: {
      dek: (keyId) => {
        asked.push(keyId);
        return dek;
      },
    },
  });
  const open = async (envelope: Bytes) =>
    assert.deepEqual(await opener.open(FSM, 9, envelope), CLOCK);
  return { opener, open, asked };
}

Deno.test("RaftOpener.isSealed() is strict: above the cutover, and only there", async () => {
  const { opener } = await opening();
  const cutover = FSM.encryption.raftCutoverIndex;
  const marker = encodeEncryption({ kind: "enable-raft-envelope" });
  const rows: [index: number, payload: Bytes, isSealed: boolean][] = [
    [cutover - 1, CLOCK, false],
    [cutover, CLOCK, false],
    [cutover + 1, CLOCK, true],
    [cutover + 1, marker, false],
    [cutover + 1, encodeEncryption({ kind: "seal-cleartext" }), true],
    [cutover + 1, marker.slice(0, 1), true],
  ];
  for (const [index, payload, isSealed] of rows) {
    assert.equal(opener.isSealed(FSM, index, payload), isSealed, `${index}`);
  }
  const low = founded(stateAfter(BOOTSTRAP, ENABLE_STORAGE));
  assert.equal(opener.isSealed(low, 1_000, CLOCK), false);
});

Deno.test("RaftOpener opens an entry at any place: docs/security.md says so", async () => {
  const { opener } = await opening();
  const envelope = await sealed(RAFT, CLOCK, {});
  for (const index of [9, 10, 1_000]) {
    assert.deepEqual(await opener.open(FSM, index, envelope), CLOCK);
  }
});

Deno.test("RaftOpener derives the key of a session once", async () => {
  const { open, asked } = await opening();
  for (const epoch of [1, 1, 2, 1]) {
    await open(await sealed(RAFT, CLOCK, { epoch }));
  }
  assert.equal(asked.length, 2);
  const salt = new Uint8Array(16).fill(6);
  await open(await sealed(RAFT, CLOCK, { salt }));
  await open(await sealed(RAFT, CLOCK, { node16: 2 }));
  assert.equal(asked.length, 4, "another salt, another node: another key");
});

Deno.test("RaftOpener forgets the oldest of many sessions", async () => {
  const { open, asked } = await opening();
  for (let epoch = 1; epoch <= 129; epoch += 1) {
    await open(await sealed(RAFT, CLOCK, { epoch }));
  }
  await open(await sealed(RAFT, CLOCK, { epoch: 129 }));
  assert.equal(asked.length, 129);
  await open(await sealed(RAFT, CLOCK, { epoch: 1 }));
  assert.equal(asked.length, 130);
});

Deno.test("RaftOpener forgets the sessions of keys that are gone", async () => {
  const { opener, open, asked } = await opening();
  const envelope = await sealed(RAFT, CLOCK);
  await open(envelope);
  opener.forgetRetired(FSM);
  await open(envelope);
  assert.equal(asked.length, 1);
  const encryption = { ...FSM.encryption, keys: new Map() };
  opener.forgetRetired({ ...FSM, encryption });
  await open(envelope);
  assert.equal(asked.length, 2);
});
