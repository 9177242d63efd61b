import { Latencies } from "../bench/latency.ts";
import type { ContenderRun, LoadShape } from "../bench/rounds.ts";
import { ChildProgram } from "./child_program.ts";

/** Deno 2.5 lacks what the client wants of `node:http2`; 2.9 has it. */
export function carriesEtcd3(): boolean {
  const [major = 0, minor = 0] = Deno.version.deno.split(".").map(Number);
  return major > 2 || major === 2 && minor >= 9;
}

/** The puts of a run through npm etcd3, from a process of its own. */
export async function loadByEtcd3(
  address: string,
  shape: LoadShape,
  valueBytes: number,
): Promise<ContenderRun> {
  const folder = decodeURIComponent(
    new URL("../../bench/etcd3/", import.meta.url).pathname,
  );
  const { clients, warmUpMs, measureMs } = shape;
  const process = ChildProgram.start({
    program: Deno.execPath(),
    args: [
      ...["run", "-A", "--quiet", "--frozen"],
      ...["--config", `${folder}deno.json`, `${folder}load.ts`, address],
      ...[clients, warmUpMs, measureMs, valueBytes].map(String),
    ],
  });
  try {
    const line = await process.output(/^(\{.*\})$/m);
    const { answered, elapsedMs, clientCpuMs, latencies }: {
      readonly answered: number;
      readonly elapsedMs: number;
      readonly clientCpuMs: number;
      readonly latencies: readonly number[];
    } = JSON.parse(line);
    const all = new Latencies();
    for (const ms of latencies) all.add(ms);
    return { answered, clientCpuMs, figures: all.figures(elapsedMs) };
  } finally {
    await process.stop("SIGKILL");
  }
}
