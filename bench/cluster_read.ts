// Question: how many reads a second do three nodes answer, beside etcd?
import { run } from "../src/cli/run.ts";
import { denoServices } from "../src/cli/services.ts";

const asked = ["bench", "read", "--nodes", "3", "--against", "etcd"];
const clients = ["--clients", "64,256"];
Deno.exit(await run([...asked, ...clients, ...Deno.args], denoServices()));
