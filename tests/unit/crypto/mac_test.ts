import assert from "node:assert/strict";
import { toHex, utf8 } from "../../../src/base/bytes.ts";
import { importDek } from "../../../src/crypto/dek.ts";
import { signHmac, verifyHmac } from "../../../src/crypto/hmac.ts";
import {
  deriveMacKey,
  sidecarMacInfo,
  stateMacInfo,
} from "../../../src/crypto/mac.ts";
import { counting, hkdf, hmac } from "./second_opinion.ts";

const RAW = counting(32);
const CLUSTER = counting(16, 0x40);

const INFOS = [
  ["sealkv sidecar v1", sidecarMacInfo(CLUSTER, "n1")],
  ["sealkv state v1", stateMacInfo(CLUSTER, "n1")],
] as const;

for (const [label, info] of INFOS) {
  Deno.test(`deriveMacKey() signs as the formats page says: ${label}`, async () => {
    assert.equal(
      toHex(info),
      toHex(utf8(label)) + toHex(CLUSTER) + toHex(utf8("n1")),
    );
    const key = await deriveMacKey(await importDek(RAW), info);
    assert.equal(key.extractable, false);
    const mac = await signHmac(key, utf8("message"));
    const raw = hkdf(RAW, new Uint8Array(0), info);
    assert.equal(toHex(mac), toHex(hmac(raw, utf8("message"))));
    assert.equal(await verifyHmac(key, utf8("message"), mac), true);
    assert.equal(await verifyHmac(key, utf8("massage"), mac), false);
  });
}
