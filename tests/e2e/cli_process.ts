import { ACCESS_TOKEN, ADMIN_TOKEN, bareEnvironment } from "./node_process.ts";
import { sealkvCommand, within } from "./node_process.ts";
import { leash } from "../../tools/leash.ts";

const RUN_MS_MAX = 60_000;

export interface CliEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `sealkv` with these words, as an operator who has the tokens. */
export async function runSealkv(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CliEnd> {
  const home = await Deno.makeTempDir({ prefix: "sealkv-cli-" });
  try {
    const [program, ...words] = [...leash("KILL"), ...sealkvCommand()];
    const child = new Deno.Command(program!, {
      args: [...words, ...args],
      clearEnv: true,
      env: {
        ...bareEnvironment(home),
        SEALKV_ACCESS_TOKEN: ACCESS_TOKEN,
        SEALKV_ADMIN_TOKEN: ADMIN_TOKEN,
        ...env,
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const kill = () => child.kill("SIGKILL");
    const { code, stdout, stderr } = await within(
      RUN_MS_MAX,
      child.output(),
      kill,
    );
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}
