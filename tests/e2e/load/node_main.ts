// deno-lint-ignore-file no-console -- a program prints.
/** The load through @deno/kv, bundled for Node: argv is the order, as JSON. */
import process from "node:process";
import { deserialize, serialize } from "node:v8";
import { type LoadOrder, runLoad } from "./workload.ts";

/** As much of @deno/kv as is used: its types are not installed here. */
interface KvModule {
  openKv(url: string, options: {
    readonly encodeV8: (value: unknown) => Uint8Array;
    readonly decodeV8: (bytes: Uint8Array) => unknown;
  }): Promise<Deno.Kv>;
}

const order = JSON.parse(process.argv[2] ?? "") as LoadOrder;
const module: string = "@deno/kv";
const { openKv }: KvModule = await import(module);

await runLoad(order, {
  kind: "npm",
  open: (url) => openKv(url, { encodeV8: serialize, decodeV8: deserialize }),
  stopped: new Promise((resolve) => process.stdin.resume().on("end", resolve)),
  print: (line) => console.log(line),
});
process.exit(0);
