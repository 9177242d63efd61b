import assert from "node:assert/strict";
import { dataHome } from "../../../src/app/data_home.ts";
import { DataHomeUnknownError } from "../../../src/app/errors.ts";

type Env = Readonly<Record<string, string>>;

const CASES: [name: string, env: Env, expected: string][] = [
  ["prefers XDG_DATA_HOME", { XDG_DATA_HOME: "/x", HOME: "/h" }, "/x"],
  ["drops a slash at the end", { XDG_DATA_HOME: "/x/" }, "/x"],
  ["falls back to HOME", { HOME: "/h" }, "/h/.local/share"],
  [
    "ignores a relative XDG_DATA_HOME",
    { XDG_DATA_HOME: "x", HOME: "/h" },
    "/h/.local/share",
  ],
  ["knows LOCALAPPDATA", { LOCALAPPDATA: "C:\\u" }, "C:\\u"],
];
for (const [name, env, expected] of CASES) {
  Deno.test(`dataHome() ${name}`, () => {
    const home = dataHome((variable) => env[variable]);
    assert.equal(home.accessTokenPath, `${expected}/sealkv/access.token`);
    assert.equal(home.dataDir("n1"), `${expected}/sealkv/nodes/n1`);
  });
}

Deno.test("dataHome() names what is missing", () => {
  assert.throws(() => dataHome(() => undefined), DataHomeUnknownError);
  assert.throws(() => dataHome(() => ""), DataHomeUnknownError);
});
