import { deepEqual, equal, rejects } from "node:assert/strict";
import { InvariantError } from "../../../../src/base/assert.ts";
import { EMPTY_BYTES, toHex, utf8 } from "../../../../src/base/bytes.ts";
import { WrapRejectedError } from "../../../../src/keys/kek_errors.ts";
import { LocalKek } from "../../../../src/keys/providers/local_kek.ts";
import { gcm, hkdf } from "../../crypto/second_opinion.ts";
import { SimRandom } from "../../../sim/io/random.ts";
import { rawKek } from "../sim_kek_ports.ts";

const CLUSTER = Uint8Array.from({ length: 16 }, (_, i) => i);
const DEK = {
  kind: "dek",
  clusterId: CLUSTER,
  keyId: 77,
  purpose: "state",
} as const;

Deno.test("LocalKek.of() takes its id from the bytes and wipes them", async () => {
  const raw = rawKek();
  const expected = hkdf(raw, EMPTY_BYTES, utf8("sealkv kek id v1"));
  const kek = await LocalKek.of(raw, new SimRandom(1));
  equal(kek.id, `file:${toHex(expected.subarray(0, 8))}`);
  equal(raw.some((byte) => byte !== 0), false);
});

Deno.test("LocalKek.of() asserts on bytes that are no KEK, and wipes none", async () => {
  await rejects(
    LocalKek.of(new Uint8Array(33), new SimRandom(1)),
    InvariantError,
  );
});

Deno.test("LocalKek wraps as formats say: nonce, AES-256-GCM, tag", async () => {
  const secret = rawKek(0x80);
  const kek = await LocalKek.of(rawKek(), new SimRandom(1));
  const wrapped = await kek.wrap(secret, DEK);
  equal(wrapped.length, 60);
  const aad = Uint8Array.of(
    ...new TextEncoder().encode("sealkv wrap v1"),
    ...CLUSTER,
    ...[0, 0, 0, 77],
    3,
  );
  const nonce = wrapped.slice(0, 12);
  deepEqual(wrapped.slice(12), gcm(rawKek(), { nonce, aad }, secret));
});

Deno.test("LocalKek never uses a nonce twice", async () => {
  const kek = await LocalKek.of(rawKek(), new SimRandom(1));
  const nonces = new Set<string>();
  for (let i = 0; i < 100; i += 1) {
    nonces.add(toHex((await kek.wrap(rawKek(), DEK)).slice(0, 12)));
  }
  equal(nonces.size, 100);
});

Deno.test("LocalKek rejects a wrap of another KEK by its own name", async () => {
  const [one, two] = [
    await LocalKek.of(rawKek(1), new SimRandom(1)),
    await LocalKek.of(rawKek(2), new SimRandom(1)),
  ];
  const wrapped = await one.wrap(rawKek(), DEK);
  await rejects(
    two.unwrap(wrapped, DEK),
    (error) => error instanceof WrapRejectedError && error.kek === two.id,
  );
});
