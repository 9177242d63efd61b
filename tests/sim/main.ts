import { runClusterSeeds } from "./cluster/main.ts";
import { runRaftSeeds } from "./raft/main.ts";

/**
 * `deno task sim [--only rollout] [--seeds N] [--from S] [--trace] [--stop]`:
 * whole nodes.
 * `deno task sim --raft [--seeds N] [--from S] [--events N] [--trace] [--stop]`:
 * the raft core alone.
 */
Deno.exitCode = Deno.args.includes("--raft")
  ? runRaftSeeds(Deno.args)
  : await runClusterSeeds(Deno.args);
