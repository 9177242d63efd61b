import { deepEqual } from "node:assert/strict";
import { concatBytes, utf8 } from "../../../../src/base/bytes.ts";
import { wrapAad } from "../../../../src/keys/providers/wrap_aad.ts";

const CLUSTER = Uint8Array.from({ length: 16 }, (_, i) => 0xf0 + i);

Deno.test("wrapAad() of a data key is label, cluster, key id and purpose", () => {
  deepEqual(
    wrapAad({
      kind: "dek",
      clusterId: CLUSTER,
      keyId: 0x01020304,
      purpose: "raft",
    }),
    concatBytes(utf8("sealkv wrap v1"), CLUSTER, Uint8Array.of(1, 2, 3, 4, 2)),
  );
});

Deno.test("wrapAad() of a challenge is label, cluster, term and target", () => {
  deepEqual(
    wrapAad({ kind: "challenge", clusterId: CLUSTER, term: 258, target: 3n }),
    concatBytes(
      utf8("sealkv challenge v1"),
      CLUSTER,
      Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 2),
      Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 3),
    ),
  );
});
