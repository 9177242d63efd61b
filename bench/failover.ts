// Question: how long after kill -9 of the leader is the next write answered?
import { run } from "../src/cli/run.ts";
import { denoServices } from "../src/cli/services.ts";

const asked = ["bench", "failover", "--rounds", "10"];
Deno.exit(await run([...asked, ...Deno.args], denoServices()));
