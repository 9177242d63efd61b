import { deepEqual, equal, ok } from "node:assert/strict";

const PROGRAM = new URL("load_program.ts", import.meta.url).pathname;
const COMPILE = new URL("../../compile.sh", import.meta.url);
/** Each makes what draws look for more. */
const TERMINALS: readonly Readonly<Record<string, string>>[] = [
  {},
  { CI: "true", GITHUB_ACTIONS: "true", TEAMCITY_VERSION: "2026.1" },
  { TF_BUILD: "1", AGENT_NAME: "one", DEV: "true" },
  { TERM: "tmux-256color", TMUX: "/tmp/tmux", TERM_PROGRAM: "Apple_Terminal" },
  { COLORTERM: "truecolor", FORCE_COLOR: "true" },
];

Deno.test("screens draw with the permissions of the binary", async () => {
  const permissions = await permissionsOfBinary();
  for (const env of TERMINALS) {
    const { frame, isColored } = await draw(env, permissions);
    equal(frame, "a first frame", JSON.stringify(env));
    ok(isColored, JSON.stringify(env));
  }
});

Deno.test("NO_COLOR is heeded, and so is FORCE_COLOR=0", async () => {
  for (
    const env of [{ NO_COLOR: "1", FORCE_COLOR: "3" }, { FORCE_COLOR: "0" }]
  ) {
    deepEqual(await draw(env, ["--allow-env"]), {
      frame: "a first frame",
      isColored: false,
    });
  }
});

/** Draws in a process of its own: what draws looks at it once, as it loads. */
async function draw(
  env: Readonly<Record<string, string>>,
  permissions: readonly string[],
): Promise<{ readonly frame: string; readonly isColored: boolean }> {
  const { NO_COLOR: _, FORCE_COLOR: __, CI: ___, ...inherited } = Deno.env
    .toObject();
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-check",
      "--no-prompt",
      ...permissions,
      PROGRAM,
    ],
    clearEnv: true,
    env: { ...inherited, ...env },
    stdin: "null",
  }).output();
  const complaints = new TextDecoder().decode(stderr);
  equal(complaints, "");
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Those that compile.sh gives, of which screens need the environment alone. */
async function permissionsOfBinary(): Promise<readonly string[]> {
  const script = await Deno.readTextFile(COMPILE);
  const list = /^VARIABLES=\(\n([^)]*)\)/m.exec(script)?.[1] ?? "";
  const names = list.replace(/#.*$/gm, "").replaceAll('"', "").trim();
  ok(names.includes("NODE_ENV"));
  return [`--allow-env=${names.split(/\s+/).join(",")}`];
}
