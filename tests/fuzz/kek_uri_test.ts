import { ok } from "node:assert/strict";
import fc from "fast-check";
import {
  KEK_SCHEMES,
  KekSourceInvalidError,
  KekUnavailableError,
} from "../../src/keys/kek_errors.ts";
import { openKek } from "../../src/keys/providers/open_kek.ts";
import { KEK_ID_BYTES_MAX } from "../../src/base/data_key.ts";
import { simKekPorts } from "../unit/keys/sim_kek_ports.ts";

const RUNS = { numRuns: 3_000 };
/** Stands for a token or password, wherever it was put. */
const MARK = "SwOrDfIsH0123456789";

const VARIABLES = {
  VAULT_TOKEN: "hvs.token",
  AWS_ACCESS_KEY_ID: "AKID",
  AWS_SECRET_ACCESS_KEY: "secret",
  AWS_REGION: "eu-west-1",
};

/** Opens it where nothing local exists; tells the id or the error. */
async function open(uri: string): Promise<string | KekSourceInvalidError> {
  const ports = simKekPorts(VARIABLES);
  try {
    return (await openKek(uri, ports)).id;
  } catch (error) {
    if (error instanceof KekSourceInvalidError) return error;
    // No such file, variable or program: the URI was understood.
    if (error instanceof KekUnavailableError && error.trouble === "missing") {
      return error.kek;
    }
    throw error;
  }
}

const parts = fc.constantFrom(
  ...KEK_SCHEMES.map((scheme) => `${scheme}:`),
  ...["kek", "alias/kek", "arn:aws:kms:eu-west-1:111122223333:key/a"],
  ...["?", "&", "=", "#", "@", ":", "/", "//", "%", "%2F", "%00", "+", " "],
  ...["addr", "mount", "namespace", "region", "endpoint", "token"],
  ...["https://v.example:8200", "http://127.0.0.1:1", "eu-west-1", "[::1]"],
  ...["'", '"', "\\", "\0", "\n", "\uFEFF", "\ud800", "ä"],
);
const uris = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.array(parts, { maxLength: 14 }).map((parts) => parts.join("")),
  fc.tuple(
    fc.constantFrom("vault-transit:kek?", "aws-kms:alias/kek?"),
    fc.array(fc.tuple(parts, parts), { maxLength: 4 }),
  ).map(([start, options]) =>
    start + options.map(([name, value]) => `${name}=${value}`).join("&")
  ),
);

Deno.test("openKek() understands a URI or says that it does not", async () => {
  await fc.assert(
    fc.asyncProperty(uris, async (uri) => {
      await open(uri);
    }),
    RUNS,
  );
});

Deno.test("openKek() gives remote KEKs an id that opens as the same", async () => {
  const remote = fc.tuple(
    fc.constantFrom(
      "vault-transit:kek?addr=https://v.example",
      "aws-kms:alias/kek?region=eu-west-1",
    ),
    fc.array(
      fc.tuple(
        fc.constantFrom("mount", "namespace", "endpoint"),
        fc.oneof(parts, fc.string({ maxLength: 8 })),
      ),
      { maxLength: 2 },
    ),
  ).map(([start, options]) =>
    start +
    options.map(([name, value]) =>
      `&${name}=${encodeURIComponent(value.toWellFormed())}`
    )
      .join("")
  );
  await fc.assert(
    fc.asyncProperty(remote, async (uri) => {
      const id = await open(uri);
      if (typeof id !== "string") return;
      ok(/^[\x21-\x7e]+$/.test(id) && id.length <= KEK_ID_BYTES_MAX);
      ok(await open(id) === id);
    }),
    RUNS,
  );
});

const refusing = [
  (secret: string) => secret,
  (secret: string) => `${secret}:kek`,
  (secret: string) => `vault-transit:kek?addr=https://v&token=${secret}`,
  (secret: string) => `vault-transit:kek?addr=https://${secret}@v.example`,
  (secret: string) => `vault-transit:kek?addr=https://u:${secret}@v.example`,
  (secret: string) => `vault-transit:kek?addr=https://v.example/${secret}`,
  (secret: string) => `vault-transit:kek?${secret}`,
  (secret: string) => `vault-transit:kek?${secret}=x`,
  (secret: string) => `vault-transit:a/${secret}`,
  (secret: string) => `aws-kms:alias/kek?secret=${secret}`,
  (secret: string) => `aws-kms:alias/kek?endpoint=https://${secret}@kms`,
  (secret: string) => `aws-kms:a/${secret}`,
  (secret: string) => `exec:op '${secret}`,
  (secret: string) => `env:${secret}=x`,
];

Deno.test("openKek() never shows what it does not understand", async () => {
  const secrets = fc.tuple(
    fc.string({ maxLength: 8 }),
    fc.string({ maxLength: 8 }),
  ).map(([before, after]) => {
    const clean = (text: string) => text.replaceAll(/['\\]/g, "");
    return clean(before) + MARK + clean(after);
  });
  await fc.assert(
    fc.asyncProperty(
      secrets,
      fc.constantFrom(...refusing),
      async (secret, place) => {
        const found = await open(place(secret));
        ok(found instanceof KekSourceInvalidError, place(secret));
        const shown = Deno.inspect(found) + JSON.stringify(found) +
          found.message + found.remedy + found.stack;
        ok(!shown.includes(MARK), shown);
      },
    ),
    RUNS,
  );
});
