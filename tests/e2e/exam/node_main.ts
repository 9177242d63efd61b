// deno-lint-ignore-file no-console -- a runner prints.
/** What `run_node.ts` bundles for Node: argv is the base URL, token, name. */
import process from "node:process";
import { deserialize, serialize } from "node:v8";
import { type ExamClient, runScenario } from "./run_scenario.ts";
import { scenario } from "./scenario.ts";

/** As much of @deno/kv as is used: its types are not installed here. */
interface KvModule {
  openKv(url: string, options: {
    readonly accessToken: string;
    readonly encodeV8: (value: unknown) => Uint8Array;
    readonly decodeV8: (bytes: Uint8Array) => unknown;
  }): Promise<Deno.Kv>;
  readonly KvU64: new (value: bigint) => Deno.KvU64;
}

const [base = "", token = "", only = ""] = process.argv.slice(2);
const module: string = "@deno/kv";
const { openKv, KvU64 }: KvModule = await import(module);

const client: ExamClient = {
  client: "npm",
  backend: "remote",
  isOldDeno: false,
  open: (database, accessToken = token) =>
    openKv(`${base}/db/${database}`, {
      accessToken,
      encodeV8: serialize,
      decodeV8: deserialize,
    }),
  u64: (value) => new KvU64(value),
};

const { failed } = await runScenario(scenario, client, {
  run: crypto.randomUUID().slice(0, 8),
  only,
  print: (line) => console.log(line),
});
process.exit(failed === 0 ? 0 : 1);
