import assert from "node:assert/strict";
import { inspect } from "node:util";
import {
  TokenInvalidError,
  TokenMissingError,
} from "../../../src/app/errors.ts";
import {
  readOrMakeToken,
  readToken,
  TOKEN_LENGTH_MAX,
  type TokenPlaces,
} from "../../../src/app/secrets.ts";
import { memoryFiles } from "../../sim/io/files.ts";

const PLACES: TokenPlaces = {
  purpose: "access",
  file: null,
  variables: ["SEALKV_ACCESS_TOKEN", "DENO_KV_ACCESS_TOKEN"],
  kept: "/home/access.token",
};
const GOOD = "twelve-chars";

function ports(env: Record<string, string>, held: Record<string, string>) {
  return {
    files: memoryFiles(held),
    env: (name: string) => env[name],
    random: {
      bytes: (length: number) => new Uint8Array(length).fill(7),
      below: () => 0,
    },
  };
}

Deno.test("readToken() prefers the named file, then variables in order", async () => {
  const held = {
    "/t": "from-the-file\n",
    "/home/access.token": "kept-by-serve",
  };
  const env = {
    SEALKV_ACCESS_TOKEN: "first-variable",
    DENO_KV_ACCESS_TOKEN: "second-variable",
  };
  const read = async (places: TokenPlaces, given: Record<string, string>) =>
    (await readToken(places, ports(given, held))).reveal();
  assert.equal(await read({ ...PLACES, file: "/t" }, env), "from-the-file");
  assert.equal(await read(PLACES, env), "first-variable");
  const { DENO_KV_ACCESS_TOKEN } = env;
  assert.equal(await read(PLACES, { DENO_KV_ACCESS_TOKEN }), "second-variable");
  assert.equal(await read(PLACES, {}), "kept-by-serve");
});

Deno.test("readToken() says where it looked", async () => {
  await assert.rejects(readToken(PLACES, ports({}, {})), (error) => {
    assert.ok(error instanceof TokenMissingError);
    for (const place of PLACES.variables.concat("/home/access.token")) {
      assert.ok(error.remedy.includes(place), place);
    }
    return true;
  });
});

Deno.test("readToken() does not fall back from a missing named file", async () => {
  const env = { SEALKV_ACCESS_TOKEN: GOOD };
  await assert.rejects(
    readToken({ ...PLACES, file: "/none" }, ports(env, {})),
    TokenMissingError,
  );
});

const BAD: [name: string, token: string][] = [
  ["11 characters", "a".repeat(11)],
  ["a space", "twelve chars"],
  ["a letter beyond ASCII", "twelve-chärs"],
  ["a line break inside", "twelve\nchars"],
  ["too many characters", "a".repeat(TOKEN_LENGTH_MAX + 1)],
];
for (const [name, token] of BAD) {
  Deno.test(`readToken() refuses ${name} and does not print it`, async () => {
    const world = ports({ SEALKV_ACCESS_TOKEN: token }, {});
    await assert.rejects(readToken(PLACES, world), (error) => {
      assert.ok(error instanceof TokenInvalidError);
      assert.ok(!inspect(error).includes(token));
      return true;
    });
  });
}

Deno.test("readToken() takes 12 characters and the longest", async () => {
  for (const token of [GOOD, "a".repeat(TOKEN_LENGTH_MAX)]) {
    const read = await readToken(PLACES, ports({}, { [PLACES.kept!]: token }));
    assert.equal(read.reveal(), token);
  }
});

Deno.test("readOrMakeToken() makes one once and keeps it", async () => {
  const world = ports({}, {});
  const first = await readOrMakeToken(PLACES, world);
  const second = await readOrMakeToken(PLACES, world);
  assert.equal(first.isMade, true);
  assert.equal(second.isMade, false);
  assert.equal(first.token.reveal(), "07".repeat(24));
  assert.equal(second.token.reveal(), first.token.reveal());
});

Deno.test("Token hides itself from printing", async () => {
  const env = { SEALKV_ACCESS_TOKEN: GOOD };
  const token = await readToken(PLACES, ports(env, {}));
  assert.ok(!inspect(token).includes(GOOD));
  assert.ok(!Deno.inspect(token).includes(GOOD));
  assert.ok(!JSON.stringify({ token }).includes(GOOD));
  assert.ok(!`${token}`.includes(GOOD));
});
