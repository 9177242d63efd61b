/*
 * Goal: words that make no sense are refused by the command itself, with what
 * is wrong and what to write instead.
 * Method: the real program, a few wrong inputs for each command; it asks nobody.
 */
import { equal } from "node:assert/strict";
import { runSealkv } from "./cli_process.ts";
import { assertReport } from "./encrypted_cluster.ts";

const USAGE = { exit: 2, code: "CLI_USAGE" };
const CONFIG = { exit: 78 };
/** Programs at a time. */
const WIDTH = 4;
const NOWHERE = "127.0.0.1:1";

interface Wrong {
  readonly words: string;
  readonly exit: number;
  readonly code: string;
}

function wrong(words: string, { exit, code } = USAGE): Wrong {
  return { words, exit, code };
}

function casesIn(dir: string): readonly Wrong[] {
  return [
    wrong("kek generate"),
    wrong(`kek generate --out ${dir}/a extra`),
    wrong(`kek generate --out ${dir}/kek`, {
      ...CONFIG,
      code: "KEYS_KEK_EXISTS",
    }),
    wrong("encryption rotate"),
    wrong("encryption status extra"),
    wrong("encryption status --timeout soon"),
    wrong("encryption status --purpose raft"),
    wrong("encryption bootstrap --plan xyz"),
    wrong("encryption bootstrap extra"),
    wrong(`encryption bootstrap --admin ${NOWHERE}`, {
      exit: 5,
      code: "ADMIN_UNREACHABLE",
    }),
    wrong("encryption rotate-dek"),
    wrong("encryption rotate-dek --purpose state"),
    wrong("encryption rotate-dek --purpose Storage"),
    wrong("encryption rewrap-deks --to"),
    wrong("encryption rewrap-deks file:0000000000000000"),
    wrong("encryption rewrap-deks --plan 0123"),
    wrong("encryption disable --force"),
    wrong("encryption disable extra"),
    wrong("encryption disable", { exit: 3, code: "NODE_DISABLE_REFUSED" }),
    wrong(`encryption resync-sidecar --data-dir ${dir} extra`),
    wrong(`encryption resync-sidecar --data-dir ${dir}/none`, {
      exit: 74,
      code: "IO_NOT_FOUND",
    }),
    wrong(`encryption resync-sidecar --data-dir ${dir}`, {
      ...CONFIG,
      code: "NODE_IDENTITY_DAMAGED",
    }),
  ];
}

Deno.test("words about encryption that make no sense are refused", async () => {
  const dir = await Deno.makeTempDir({ prefix: "sealkv-words-" });
  try {
    const kek = crypto.getRandomValues(new Uint8Array(32));
    await Deno.writeFile(`${dir}/kek`, kek, { mode: 0o600 });
    const left = [...casesIn(dir)];
    await Promise.all(Array.from({ length: WIDTH }, async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const { words, exit, code } = next;
        const end = await runSealkv(words.split(" "));
        equal(end.code, exit, `${words}: ${end.stderr}`);
        equal(end.stdout, "", words);
        assertReport(end.stderr, code);
      }
    }));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
