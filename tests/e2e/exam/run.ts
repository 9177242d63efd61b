// deno-lint-ignore-file no-console -- a runner prints.
/**
 * Puts the exam to a server, or to Deno's own backend:
 *
 *     deno run -A tests/e2e/exam/run.ts http://127.0.0.1:4512 TOKEN [name]
 *     deno run -A tests/e2e/exam/run.ts :memory: "" [name]
 *
 * Each case has a database `/db/<run>-<number>` of its own.
 */
import { type ExamClient, runScenario } from "./run_scenario.ts";
import { scenario } from "./scenario.ts";

const LOCAL = ":memory:";
const TOKEN_VARIABLE = "DENO_KV_ACCESS_TOKEN";

const [base = LOCAL, token = "", only = ""] = Deno.args;

/** `:memory:` is another database each time it is opened. */
const files = new Map<string, string>();

async function open(database: string, other = token): Promise<Deno.Kv> {
  if (base !== LOCAL) {
    Deno.env.set(TOKEN_VARIABLE, other);
    return await Deno.openKv(`${base}/db/${database}`);
  }
  const file = files.get(database) ??
    await Deno.makeTempFile({ prefix: "exam_", suffix: ".sqlite3" });
  files.set(database, file);
  return await Deno.openKv(file);
}

const client: ExamClient = {
  client: "deno",
  backend: base === LOCAL ? "local" : "remote",
  isOldDeno: /^2\.[0-8]\./.test(Deno.version.deno),
  open,
  u64: (value) => new Deno.KvU64(value),
};

const { failed } = await runScenario(scenario, client, {
  run: crypto.randomUUID().slice(0, 8),
  only,
  print: (line) => console.log(line),
});
for (const file of files.values()) await Deno.remove(file);
Deno.exit(failed === 0 ? 0 : 1);
