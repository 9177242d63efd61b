/*
 * Goal: simulations run the same cryptography as nodes.
 * Method: the same calls to the platform's WebCrypto and to the one that
 * answers within the turn give the same bytes, and refuse the same.
 */
import { deepEqual, equal, notEqual, rejects } from "node:assert/strict";
import {
  importFrequentAesKey,
  openGcm,
  sealGcm,
} from "../../../src/crypto/aes_gcm.ts";
import { useTurnCrypto } from "./subtle.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const SECRET = utf8("0123456789abcdef0123456789abcdef");
const IV = utf8("twelve bytes");

async function derived(): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey("raw", SECRET, "HKDF", false, [
    "deriveKey",
    "deriveBits",
  ]);
  return await crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: utf8("salt"), info: utf8("info") },
    base,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}

const ALL: Readonly<Record<string, () => Promise<Uint8Array>>> = {
  digest: async () =>
    new Uint8Array(await crypto.subtle.digest("SHA-256", utf8("abc"))),
  deriveBits: async () => {
    const base = await crypto.subtle.importKey("raw", SECRET, "HKDF", false, [
      "deriveBits",
    ]);
    const params = {
      name: "HKDF",
      hash: "SHA-256",
      salt: new Uint8Array(0),
      info: utf8("info"),
    };
    return new Uint8Array(await crypto.subtle.deriveBits(params, base, 256));
  },
  encrypt: async () =>
    new Uint8Array(
      await crypto.subtle.encrypt(
        { name: "AES-GCM", iv: IV, additionalData: utf8("aad") },
        await derived(),
        utf8("plaintext"),
      ),
    ),
  sign: async () => {
    const key = await crypto.subtle.importKey(
      "raw",
      SECRET,
      { name: "HMAC", hash: "SHA-256" },
      false,
      ["sign"],
    );
    return new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8("abc")));
  },
};

for (const [name, call] of Object.entries(ALL)) {
  Deno.test(`${name} gives the bytes of the platform's`, async () => {
    const expected = await call();
    const turn = useTurnCrypto();
    try {
      deepEqual(await call(), expected);
    } finally {
      turn.undo();
    }
    deepEqual(await call(), expected);
  });
}

Deno.test("decrypt opens what the platform sealed, and refuses what it does", async () => {
  const sealed = await ALL["encrypt"]!();
  const turn = useTurnCrypto();
  try {
    const key = await derived();
    const open = (bytes: Uint8Array<ArrayBuffer>, aad: string) =>
      crypto.subtle.decrypt(
        { name: "AES-GCM", iv: IV, additionalData: utf8(aad) },
        key,
        bytes,
      );
    const bytes = new Uint8Array(sealed);
    equal(new TextDecoder().decode(await open(bytes, "aad")), "plaintext");
    await rejects(open(bytes, "other"), { name: "OperationError" });
    await rejects(open(bytes.slice(0, 15), "aad"), { name: "OperationError" });
    bytes[0]! ^= 1;
    await rejects(open(bytes, "aad"), { name: "OperationError" });
  } finally {
    turn.undo();
  }
});

Deno.test("answers come within the turn", async () => {
  const turn = useTurnCrypto();
  try {
    let isDone = false;
    const call = crypto.subtle.digest("SHA-256", utf8("abc"));
    call.then(() => isDone = true);
    await Promise.resolve();
    await Promise.resolve();
    equal(isDone, true);
  } finally {
    turn.undo();
  }
  notEqual(crypto.subtle, undefined);
});

Deno.test("useTurnCrypto() sees what is sealed by the calling thread too", async () => {
  const seen: [secret: string, nonce: string, aad: string][] = [];
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const turn = useTurnCrypto((secret, nonce, aad) =>
    seen.push([text(secret), text(nonce), text(aad)])
  );
  try {
    const key = await importFrequentAesKey(SECRET);
    const place = { nonce: IV, aad: utf8("aad") };
    const sealed = await sealGcm(key, place, utf8("small"));
    deepEqual(await openGcm(key, place, sealed), utf8("small"));
    await sealGcm(key, place, new Uint8Array(2_000));
  } finally {
    turn.undo();
  }
  const seal = [text(SECRET), text(IV), "aad"];
  deepEqual(seen, [seal, seal]);
});
