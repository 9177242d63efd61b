import { run } from "./src/cli/run.ts";
import { denoServices } from "./src/cli/services.ts";

const exitCode = await run(Deno.args, denoServices());
// Timers, sockets and a given-up call must not keep the process.
Deno.exit(exitCode);
