import assert from "node:assert/strict";
import type { Bytes } from "../../src/base/bytes.ts";
import {
  type KeyId,
  type KeyPurpose,
  PURPOSE_BYTE,
  type WrappedKey,
} from "../../src/base/data_key.ts";
import { commitmentOf, importDek } from "../../src/crypto/dek.ts";
import {
  dekWrapAad,
  importKek,
  kekIdOf,
  unwrapSecret,
  wrapSecret,
} from "../../src/crypto/kek_wrap.ts";
import { signHmac } from "../../src/crypto/hmac.ts";
import { deriveMacKey, sidecarMacInfo } from "../../src/crypto/mac.ts";
import { utf8 } from "../../src/base/bytes.ts";
import { WrapRejectedError } from "../../src/keys/kek_errors.ts";
import { openSidecar } from "../../src/keys/open_sidecar.ts";
import type { Kek } from "../../src/keys/port.ts";
import {
  formatSidecar,
  parseSidecar,
  type SidecarContent,
  sidecarText,
} from "../../src/keys/sidecar.ts";

const FIXTURE = new URL("../fixtures/v1/sidecar.json", import.meta.url);

const CLUSTER_ID = Uint8Array.from({ length: 16 }, (_, i) => i * 17);
const KEKS = await Promise.all([kekOf(0x11), kekOf(0x22)]);
const STORAGE = 305419896;
const RAFT = 2596069104;
const STATE = 77;
const RETIRING = 4294967295;
const MS = Date.UTC(2026, 3, 29, 10);

/** 32 bytes that a key of this id has in the fixture. */
function rawOf(id: KeyId): Bytes {
  return Uint8Array.from({ length: 32 }, (_, i) => (id + i * 7) % 256);
}

async function kekOf(byte: number): Promise<Kek & { key: CryptoKey }> {
  const raw = new Uint8Array(32).fill(byte);
  const key = await importKek(raw);
  return {
    id: `file:${await kekIdOf(raw)}`,
    key,
    wrap: () => Promise.reject(new Error("not here")),
    async unwrap(wrapped, context) {
      assert.ok(context.kind === "dek");
      const aad = dekWrapAad(context);
      const secret = await unwrapSecret(key, wrapped, aad);
      if (secret === null) throw new WrapRejectedError("fixture");
      return secret;
    },
  };
}

async function keyOf(
  id: KeyId,
  purpose: KeyPurpose,
  createdMs: number,
): Promise<WrappedKey> {
  const name = { clusterId: CLUSTER_ID, keyId: id, purpose };
  const commitment = await commitmentOf(await importDek(rawOf(id)), name);
  const wraps = await Promise.all(KEKS.map(async ({ id: kek, key }, i) => {
    const nonce = new Uint8Array(12).fill(16 * i + PURPOSE_BYTE[purpose]);
    const aad = dekWrapAad(name);
    return { kek, wrapped: await wrapSecret(key, nonce, rawOf(id), aad) };
  }));
  return { id, purpose, commitment, createdMs, wraps };
}

async function expectedContent(): Promise<SidecarContent> {
  const keys = [
    await keyOf(STATE, "state", MS),
    await keyOf(STORAGE, "storage", MS),
    await keyOf(RAFT, "raft", MS + 1),
    await keyOf(RETIRING, "storage", 0),
  ];
  return {
    clusterId: CLUSTER_ID,
    node: "n1",
    shared: {
      stateIndex: 184273,
      keys: new Map(keys.map((key) => [key.id, key])),
      active: { storage: STORAGE, raft: RAFT },
      stateKey: STATE,
      storageCutoverIndex: 184201,
      raftCutoverIndex: 0,
      cleartextLockIndex: Number.MAX_SAFE_INTEGER,
    },
    epochs: new Map([[STATE, 1], [STORAGE, 7], [RAFT, 65535], [RETIRING, 0]]),
  };
}

Deno.test("the frozen sidecar parses for ever", async () => {
  const text = await Deno.readTextFile(FIXTURE);
  const { mac, text: canonical, ...content } = parseSidecar("f", text);
  const expected = await expectedContent();
  assert.deepEqual(content, expected);
  assert.equal(canonical, sidecarText(expected));
  assert.equal(formatSidecar(expected, mac), text);
  const stateDek = await importDek(rawOf(STATE));
  const info = sidecarMacInfo(CLUSTER_ID, "n1");
  const macKey = await deriveMacKey(stateDek, info);
  assert.deepEqual(mac, await signHmac(macKey, utf8(canonical)));
});

Deno.test("the frozen sidecar opens for ever, with either KEK", async () => {
  const found = parseSidecar("f", await Deno.readTextFile(FIXTURE));
  for (const kek of KEKS) {
    const place = { path: "f", node: "n1", keks: [kek] };
    const keystore = await openSidecar(place, found);
    for (const { id, purpose, commitment } of found.shared.keys.values()) {
      const name = { clusterId: CLUSTER_ID, keyId: id, purpose };
      const dek = keystore.get(id, purpose);
      assert.deepEqual(await commitmentOf(dek, name), commitment);
    }
  }
});
