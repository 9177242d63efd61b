/*
 * Goal: what the pages tell people to type works, typed literally.
 * Method: each page gets a copy of the source, an empty home and an address of
 * its own; its shell blocks run in order (see doc_blocks.ts).
 * docs/member.sh, which pages start members with, gets that address too.
 */
import { equal, fail, ok } from "node:assert/strict";
import { cpSync, readdirSync } from "node:fs";
import { loopbackAddress } from "../loopback.ts";
import { type DocBlock, docBlocks } from "./doc_blocks.ts";
import { bareEnvironment, sealkvCommand, within } from "./node_process.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const BLOCK_MS_MAX = 180_000;
const PAGES = [
  "README.md",
  ...readdirSync(`${ROOT}docs`).filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];
const NOT_COPIED = new Set([".git", "node_modules", "dist"]);

/** Somewhere to follow a page as a newcomer. */
interface Newcomer {
  readonly dir: string;
  readonly hostname: string;
  readonly env: Record<string, string>;
}

async function newcomer(): Promise<Newcomer> {
  const temporary = await Deno.makeTempDir({ prefix: "sealkv-page-" });
  const dir = `${temporary}/sealkv`;
  const hostname = loopbackAddress();
  cpSync(ROOT, dir, {
    recursive: true,
    filter: (path) => !NOT_COPIED.has(path.split("/").pop() ?? ""),
  });
  const script = `${dir}/docs/member.sh`;
  await Deno.writeTextFile(
    script,
    (await Deno.readTextFile(script)).replaceAll("127.0.0.1", hostname),
  );
  const bin = `${temporary}/bin`;
  await Deno.mkdir(bin);
  // The program that docs call `sealkv`, and the Deno they call `deno`.
  const [program, ...args] = sealkvCommand();
  const words = [program, ...args].map((word) => `'${word}'`).join(" ");
  await Deno.writeTextFile(`${bin}/sealkv`, `#!/bin/sh\nexec ${words} "$@"\n`, {
    mode: 0o755,
  });
  await Deno.symlink(Deno.execPath(), `${bin}/deno`);
  const env = bareEnvironment(`${temporary}/home`);
  await Deno.mkdir(`${temporary}/home`);
  return {
    dir,
    hostname,
    env: {
      ...env,
      PATH: `${bin}:${env["PATH"]}`,
      // npm's downloads are no part of what is tested.
      npm_config_cache: Deno.env.get("npm_config_cache") ??
        `${Deno.env.get("HOME")}/.npm`,
      // Default addresses may be taken: the same ports elsewhere.
      SEALKV_LISTEN: `${hostname}:4512`,
      SEALKV_PEER_LISTEN: `${hostname}:4513`,
      SEALKV_ADMIN_LISTEN: `${hostname}:4514`,
      SEALKV_URL: `http://${hostname}:4512`,
      SEALKV_ADMIN: `${hostname}:4514`,
      // Members are asked for as long: a machine that is busy answers too.
      SEALKV_ELECTION_MS: "1000",
    },
  };
}

/** A running block and what it said so far. */
interface Shell {
  readonly child: Deno.ChildProcess;
  readonly ended: Promise<void>;
  readonly text: () => string;
  readonly ready: Promise<boolean>;
}

function start(block: DocBlock, reader: Newcomer): Shell {
  const script = block.script.replaceAll("127.0.0.1", reader.hostname);
  const child = new Deno.Command("bash", {
    // A group of its own: a signal reaches what the shell started.
    args: ["-euo", "pipefail", "-c", `set -m\nexec 2>&1\n${script}`],
    cwd: reader.dir,
    clearEnv: true,
    env: reader.env,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let text = "";
  const { promise: ready, resolve } = Promise.withResolvers<boolean>();
  const collect = async () => {
    for await (
      const part of child.stdout.pipeThrough(new TextDecoderStream())
    ) {
      text += part;
      if (/^ready \{.*\}$/m.test(text)) resolve(true);
    }
    resolve(false);
  };
  return { child, ended: collect(), text: () => text, ready };
}

async function runToEnd(block: DocBlock, reader: Newcomer): Promise<void> {
  const { child, ended, text } = start(block, reader);
  const { success } = await within(
    BLOCK_MS_MAX,
    child.status,
    () => child.kill("SIGKILL"),
  );
  await ended;
  ok(success, `line ${block.line}: ${block.script}\n${text()}`);
}

async function runPage(blocks: readonly DocBlock[]): Promise<void> {
  const reader = await newcomer();
  const background: Shell[] = [];
  try {
    for (const block of blocks) {
      if (block.kind === "tests") continue;
      if (block.kind === "stopped") {
        for (const shell of background.splice(0)) await stop(shell, reader);
      }
      if (block.kind !== "background") {
        await runToEnd(block, reader);
        continue;
      }
      const shell = start(block, reader);
      background.push(shell);
      const isReady = await within(
        BLOCK_MS_MAX,
        shell.ready,
        () => shell.child.kill("SIGKILL"),
      );
      if (!isReady) fail(`line ${block.line}: not ready:\n${shell.text()}`);
    }
  } finally {
    for (const shell of background) await stop(shell, reader);
    await killLeftovers(reader);
    await Deno.remove(`${reader.dir}/..`, { recursive: true });
  }
}

/** Ends what a block left running, all of it. */
async function stop(shell: Shell, { env }: Newcomer): Promise<void> {
  const script = `
    kill_tree() {
      for child in $(cat /proc/$1/task/*/children 2>/dev/null); do
        kill_tree "$child"
      done
      kill -TERM "$1" 2>/dev/null || true
    }
    kill_tree ${shell.child.pid}`;
  await new Deno.Command("bash", { args: ["-c", script], clearEnv: true, env })
    .output();
  await shell.child.status;
  await shell.ended;
}

/** Ends what blocks that ran to their end left running below the directory. */
async function killLeftovers({ dir }: Newcomer): Promise<void> {
  if (Deno.build.os !== "linux") return;
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    // A process may end meanwhile.
    const cwd = await Deno.readLink(`/proc/${name}/cwd`).catch(() => "");
    if (cwd !== dir) continue;
    await new Deno.Command("bash", { args: ["-c", `kill -KILL ${name}`] })
      .output();
  }
}

const hasNpm = await new Deno.Command("npm", { args: ["--version"] }).output()
  .then(({ success }) => success, () => false);

for (const page of PAGES) {
  const blocks = docBlocks(Deno.readTextFileSync(`${ROOT}${page}`));
  if (blocks.length === 0) continue;
  const npm = blocks.filter(({ script }) => /^npx /m.test(script));
  const others = blocks.filter((block) => !npm.includes(block));
  Deno.test(`${page}: its commands work as written`, () => runPage(others));
  if (npm.length === 0) continue;
  Deno.test({
    name: `${page}: its commands for npm work as written`,
    ignore: !hasNpm,
    fn: () => runPage(npm),
  });
}

Deno.test("README.md names the two ways to run the tests", () => {
  const blocks = docBlocks(Deno.readTextFileSync(`${ROOT}README.md`));
  const tests = blocks.filter(({ kind }) => kind === "tests");
  equal(tests[0]?.script, "deno task test\n");
  equal(tests[1]?.script, "npx -y deno@2.9.6 task test\n");
  equal(tests.length, 2);
});
