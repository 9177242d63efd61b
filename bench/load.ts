// Question: how long do a million records take, and how much memory after?
import { run } from "../src/cli/run.ts";
import { denoServices } from "../src/cli/services.ts";

Deno.exit(await run(["bench", "load", ...Deno.args], denoServices()));
