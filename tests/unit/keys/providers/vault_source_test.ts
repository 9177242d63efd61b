import { deepEqual, equal, throws } from "node:assert/strict";
import { KEK_ID_BYTES_MAX } from "../../../../src/base/data_key.ts";
import { KekSourceInvalidError } from "../../../../src/keys/kek_errors.ts";
import { parseVaultUri } from "../../../../src/keys/providers/vault_source.ts";

Deno.test("parseVaultUri() writes out the defaults in the id", () => {
  deepEqual(parseVaultUri("kek?addr=https://vault.example:8200"), {
    id: "vault-transit:kek?addr=https://vault.example:8200&mount=transit",
    server: "https://vault.example:8200",
    mount: "transit",
    key: "kek",
    namespace: null,
  });
});

Deno.test("parseVaultUri() gives all spellings one id", () => {
  const spellings = [
    "k.e-k_1?addr=https://v.example&mount=a/b&namespace=c/d",
    "k.e-k_1?namespace=c/d&mount=a/b&addr=https://v.example",
    "k.e-k_1?addr=https://V.example:443/&mount=/a/b/&namespace=c/d/",
    "k.e-k_1?addr=https%3A%2F%2Fv.example&mount=a%2Fb&namespace=c%2Fd",
  ];
  equal(new Set(spellings.map((uri) => parseVaultUri(uri).id)).size, 1);
});

Deno.test("parseVaultUri() tells keys apart by every part", () => {
  const uris = [
    "a?addr=https://v",
    "b?addr=https://v",
    "a?addr=https://w",
    "a?addr=https://v:1",
    "a?addr=https://v&mount=m",
    "a?addr=https://v&namespace=n",
    "a?addr=https://v&namespace=m&mount=n",
    "a?addr=https://v&namespace=n&mount=m",
  ];
  equal(new Set(uris.map((uri) => parseVaultUri(uri).id)).size, uris.length);
});

Deno.test("parseVaultUri() refuses what is no such key", () => {
  const uris = [
    "",
    "kek",
    "?addr=https://v",
    "a/b?addr=https://v",
    "../kek?addr=https://v",
    ".?addr=https://v",
    "-a?addr=https://v",
    "a-?addr=https://v",
    "a%20b?addr=https://v",
    `${"a".repeat(129)}?addr=https://v`,
    "kek?mount=transit",
    "kek?addr=http://vault.example",
    "kek?addr=https://v&token=t",
    ...["..", "a/../b", "a//b", "/", "a b", "a?b", "a%2f", "ä", "a\nb"]
      .flatMap((path) => {
        const value = encodeURIComponent(path);
        return ["mount", "namespace"].map((name) =>
          `kek?addr=https://v&${name}=${value}`
        );
      }),
  ];
  for (const uri of uris) {
    throws(() => parseVaultUri(uri), KekSourceInvalidError, uri);
  }
});

Deno.test("parseVaultUri() bounds the id", () => {
  const withMount = (length: number) =>
    parseVaultUri(`kek?addr=https://v&mount=${"m".repeat(length)}`).id;
  const rest = withMount(1).length - 1;
  equal(withMount(KEK_ID_BYTES_MAX - rest).length, KEK_ID_BYTES_MAX);
  throws(() => withMount(KEK_ID_BYTES_MAX - rest + 1), KekSourceInvalidError);
});
