/*
 * Goal: a process killed with SIGKILL between any two parts of a commit leaves
 * a store that opens at the state before or after it.
 * Method: a child kills itself after its nth backing commit, or is killed while
 * it writes; open what it left, and look at every record.
 */
import assert from "node:assert/strict";
import { openDenoKv } from "../../src/io/deno/kv.ts";
import { Store } from "../../src/store/store.ts";
import { batchOf, KEYS } from "./store_kill_child.ts";

const CHILD = new URL("./store_kill_child.ts", import.meta.url).pathname;
const FIRST_COMMITS = 9;

function spawn(path: string, commits: number): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--unstable-kv",
      "--no-check",
      CHILD,
      path,
      `${commits}`,
    ],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** The highest index that the child acknowledged, and how it ended. */
async function finish(child: Deno.ChildProcess) {
  const { stdout, signal } = await child.output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  return { acknowledged: Number(lines.at(-1) ?? 0), signal };
}

async function look(path: string): Promise<
  { readonly index: number; readonly recovered: readonly unknown[] }
> {
  const recovered: unknown[] = [];
  const store = await Store.open({
    kv: openDenoKv(path),
    log: { write: (_level, _event, fields) => recovered.push(fields?.outcome) },
  });
  const { index } = store.state.applied;
  const keys = batchOf(0);
  const records = await store.readRecords(keys);
  assert.equal(keys.length, KEYS);
  const expected = batchOf(index).map(({ record }) =>
    index > 0 ? record : null
  );
  assert.deepEqual(records, expected);
  await store.close();
  return { index, recovered };
}

Deno.test("a store killed between parts opens at one state", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const outcomes = new Set<unknown>();
    for (let commits = 1; commits <= FIRST_COMMITS; commits += 1) {
      const path = `${dir}/${commits}.sqlite`;
      const { acknowledged, signal } = await finish(spawn(path, commits));
      assert.equal(signal, "SIGKILL");
      const { index, recovered } = await look(path);
      assert.ok(index >= acknowledged, `${index} ≥ ${acknowledged}`);
      for (const outcome of recovered) outcomes.add(outcome);
    }
    assert.deepEqual([...outcomes].toSorted(), ["dropped", "finished"]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("a store killed while it writes keeps what it acknowledged", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const path = `${dir}/store.sqlite`;
    for (let round = 0; round < 4; round += 1) {
      const child = spawn(path, 0);
      const reader = child.stdout.getReader();
      let text = "";
      const decoder = new TextDecoder();
      while (text.split("\n").length < 3 + round) {
        const { value, done } = await reader.read();
        if (done) break;
        text += decoder.decode(value);
      }
      child.kill("SIGKILL");
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        text += decoder.decode(value);
      }
      await child.status;
      const acknowledged = Number(text.trim().split("\n").at(-1));
      const { index } = await look(path);
      assert.ok(acknowledged > 0 && index >= acknowledged);
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
