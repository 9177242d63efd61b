import { assert } from "../base/assert.ts";
import { type Bytes, utf8 } from "../base/bytes.ts";
import { DATA_KEY_BYTES } from "../base/data_key.ts";
import { keyContext, type KeyName } from "./context.ts";
import { deriveBytes, importHkdfKey } from "./hkdf.ts";

/** A data key in use: an HKDF base key that cannot be exported. */
export type Dek = CryptoKey;

const COMMITMENT = utf8("sealkv dek commitment v1");

/** Takes a data key's 32 raw bytes, which the caller then wipes. */
export async function importDek(raw: Bytes): Promise<Dek> {
  assert(raw.length === DATA_KEY_BYTES, "a data key has 32 bytes");
  return await importHkdfKey(raw);
}

/** 32 bytes that only this key, under this name, gives; they tell nothing. */
export async function commitmentOf(dek: Dek, name: KeyName): Promise<Bytes> {
  return await deriveBytes(dek, { info: keyContext(COMMITMENT, name) });
}
