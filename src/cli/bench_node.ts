import { toHex } from "../base/bytes.ts";
import { denoRandom } from "../io/deno/random.ts";

/** A node of this very program in a process and a directory of its own. */
export interface BenchNode {
  readonly url: string;
  readonly accessToken: string;
  /** Resident set in MiB; `null` where the system does not tell. */
  residentMib(): Promise<number | null>;
  stop(): Promise<void>;
}

const ANY_PORT = "127.0.0.1:0";

/** Starts one under `dir`. @throws {Error} When it ends before it is ready. */
export async function startBenchNode(dir: string): Promise<BenchNode> {
  const accessToken = toHex(denoRandom().bytes(16));
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...programArguments(),
      ...["serve", "--data-dir", `${dir}/n1`, "--log-level", "warn"],
      ...["--listen", ANY_PORT, "--peer-listen", ANY_PORT],
      ...["--admin-listen", ANY_PORT],
    ],
    env: {
      SEALKV_ACCESS_TOKEN: accessToken,
      SEALKV_ADMIN_TOKEN: accessToken,
      SEALKV_PEER_TOKEN: accessToken,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const stop = async () => {
    child.kill("SIGTERM");
    await child.status;
  };
  return {
    url: `http://${await readyAddress(child.stdout)}`,
    accessToken,
    residentMib: () => residentMib(child.pid),
    stop,
  };
}

/** What stands before the command's name when this program runs itself. */
function programArguments(): readonly string[] {
  if (Deno.build.standalone) return [];
  const root = new URL("../../", import.meta.url);
  return ["run", "-A", "--quiet", `${root}main.ts`];
}

async function readyAddress(
  output: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<string> {
  const reader = output.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error("The node ended before it was ready");
    text += value;
    const ready = /^ready (\{.*\})$/m.exec(text)?.[1];
    if (ready === undefined) continue;
    reader.releaseLock();
    return JSON.parse(ready).listen;
  }
}

async function residentMib(pid: number): Promise<number | null> {
  if (Deno.build.os !== "linux") return null;
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kib === undefined ? null : Number(kib) / 1024;
}
