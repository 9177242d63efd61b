import { leash } from "../../tools/leash.ts";
import { ADMIN_TOKEN, bareEnvironment } from "./node_process.ts";
import { sealkvCommand, within } from "./node_process.ts";
import { Output } from "./output.ts";
import { CLUSTER_NAME, type Rollout } from "./rollout.ts";

const RUN_MS_MAX = 180_000;

export interface RunEnd {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a program that asks `rollout`'s cluster; `watch` may kill it. */
export async function runIn(
  rollout: Rollout,
  command: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly watch?: (child: Deno.ChildProcess, out: Output) => Promise<void>;
  } = {},
): Promise<RunEnd> {
  const [program, ...args] = [...leash("KILL"), ...command];
  const child = new Deno.Command(program!, {
    args,
    clearEnv: true,
    env: {
      ...bareEnvironment("/nonexistent"),
      SEALKV_ADMIN_TOKEN: ADMIN_TOKEN,
      SEALKV_ADMIN: rollout.encrypted.admins,
      ...options.env,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [out, err] = [new Output(child.stdout), new Output(child.stderr)];
  await options.watch?.(child, out);
  const kill = () => child.kill("SIGKILL");
  const { code } = await within(RUN_MS_MAX, child.status, kill);
  await Promise.all([out.ended, err.ended]);
  return { code, out: out.text, err: err.text };
}

/** The unattended rollout, written down at `path`. */
export function apply(
  path: string,
  ...words: readonly string[]
): readonly [string, ...string[]] {
  const named = ["--confirm", CLUSTER_NAME, "--transcript", path];
  return [...sealkvCommand(), "rollout", "--apply", ...named, ...words];
}
