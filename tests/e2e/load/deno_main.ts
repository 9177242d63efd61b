// deno-lint-ignore-file no-console -- a program prints.
/** The load through Deno's own client: argv is the order, as JSON. */
import { type LoadOrder, runLoad } from "./workload.ts";

const order = JSON.parse(Deno.args[0] ?? "") as LoadOrder;
await runLoad(order, {
  kind: "deno",
  open: (url) => Deno.openKv(url),
  stopped: Array.fromAsync(Deno.stdin.readable).then(() => {}),
  print: (line) => console.log(line),
});
// Calls that wait for a member that is gone must not keep it.
Deno.exit(0);
