/*
 * Opens the store at the path given and commits batch after batch in parts, each
 * acknowledged by a line with its number. Kills itself with SIGKILL after its
 * nth backing commit, or runs until it is killed when n is 0.
 */
import { utf8 } from "../../src/base/bytes.ts";
import type { Mutation } from "../../src/fsm/types.ts";
import { openDenoKv } from "../../src/io/deno/kv.ts";
import type { Kv } from "../../src/io/kv.ts";
import { EMPTY_STATE } from "../../src/store/meta.ts";
import { Store } from "../../src/store/store.ts";

export const KEYS = 1_100;

/** All keys of batch `index`: as many as need parts, one with an overflow. */
export function batchOf(index: number): readonly Mutation[] {
  return Array.from({ length: KEYS }, (_, i) => ({
    database: 1,
    key: utf8(`k${i}`),
    record: {
      value: {
        data: new Uint8Array(i === 7 ? 65_536 : 20).fill(index),
        encoding: 3,
      },
      versionstamp: new Uint8Array(10).fill(index),
      expireAtMs: 0,
    },
  }));
}

function dyingAfter(kv: Kv, commits: number): Kv {
  let left = commits;
  return {
    get: (keys) => kv.get(keys),
    list: (range) => kv.list(range),
    close: () => kv.close(),
    commit: async (batch) => {
      const done = await kv.commit(batch);
      left -= 1;
      if (left === 0) Deno.kill(Deno.pid, "SIGKILL");
      return done;
    },
  };
}

if (import.meta.main) {
  const [path = "", commits = "0"] = Deno.args;
  const kv = dyingAfter(await openDenoKv(path), Number(commits));
  const store = await Store.open({ kv, log: { write: () => {} } });
  const { index: from } = store.state.applied;
  for (let index = from + 1; index < from + 100; index += 1) {
    await store.commit({
      state: { ...EMPTY_STATE, applied: { index, term: 1 } },
      mutations: batchOf(index),
    });
    await Deno.stdout.write(utf8(`${index}\n`));
  }
}
