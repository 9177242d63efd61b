import { deepEqual, equal, throws } from "node:assert/strict";
import { KekSourceInvalidError } from "../../../../src/keys/kek_errors.ts";
import {
  formatRemoteUri,
  parseRemoteUri,
  parseServer,
} from "../../../../src/keys/providers/kek_uri.ts";

const parse = (rest: string) =>
  parseRemoteUri("vault-transit", rest, ["addr", "mount"]);
const server = (text: string) => parseServer("vault-transit", "addr", text);

Deno.test("parseRemoteUri() splits the key and its options", () => {
  const { key, options } = parse("kek?addr=https://v:1&mount=a%2Fb");
  equal(key, "kek");
  deepEqual([...options], [["addr", "https://v:1"], ["mount", "a/b"]]);
  deepEqual(parse("kek"), { key: "kek", options: new Map() });
  deepEqual(parse("kek?"), { key: "kek", options: new Map() });
});

Deno.test("parseRemoteUri() takes no unknown, repeated or empty option", () => {
  const uris = [
    "kek?token=hvs.swordfish",
    "kek?addr=a&addr=b",
    "kek?addr=",
    "kek?addr",
    "kek?=x",
    "kek?Addr=x",
    "kek?addr=a?token=b&token=b",
    "kek?__proto__=x",
  ];
  for (const uri of uris) {
    throws(() => parse(uri), (error) => {
      equal(`${error}`.includes("swordfish"), false);
      return error instanceof KekSourceInvalidError;
    }, uri);
  }
});

Deno.test("parseServer() gives one spelling of an origin", () => {
  const spellings = [
    ["https://vault.example:8200", "https://vault.example:8200"],
    ["https://Vault.Example/", "https://vault.example"],
    ["https://vault.example:443", "https://vault.example"],
    ["https://[2001:db8::1]:8200", "https://[2001:db8::1]:8200"],
    ["http://127.0.0.1:8200", "http://127.0.0.1:8200"],
    ["http://127.1:8200", "http://127.0.0.1:8200"],
    ["http://localhost:80", "http://localhost"],
    ["http://[::1]:8200", "http://[::1]:8200"],
  ] as const;
  for (const [text, origin] of spellings) equal(server(text), origin);
});

Deno.test("parseServer() takes no cleartext to another machine", () => {
  const texts = [
    "http://vault.example:8200",
    "http://10.0.0.1:8200",
    "http://127.0.0.1.example",
    "http://localhost.example",
    "http://[::2]",
    "http://0.0.0.0:8200",
  ];
  for (const text of texts) throws(() => server(text), KekSourceInvalidError);
});

Deno.test("parseServer() takes nothing but an origin, and shows it not", () => {
  const texts = [
    "",
    "vault.example",
    "https:",
    "https://",
    "https://user:swordfish@vault.example",
    "https://swordfish@vault.example",
    "https://vault.example/swordfish",
    "https://vault.example?token=swordfish",
    "https://vault.example#swordfish",
    "https://vault.example:99999",
    "https://vault.example\\swordfish",
    "https://vau lt.example",
    "https://vault.example\n",
    "ftp://vault.example",
    "file:///etc/passwd",
    "javascript:swordfish",
    "HTTPS:vault.example",
  ];
  for (const text of texts) {
    throws(() => server(text), (error) => {
      equal(`${error}`.includes("swordfish"), false);
      return error instanceof KekSourceInvalidError;
    }, text);
  }
});

Deno.test("formatRemoteUri() leaves out what is not set", () => {
  const uri = formatRemoteUri("aws-kms", "alias/a", [
    ["region", "eu-west-1"],
    ["endpoint", null],
  ]);
  equal(uri, "aws-kms:alias/a?region=eu-west-1");
});
