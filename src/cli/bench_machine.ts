import { readProc } from "./bench_process.ts";

/** The machine, and the file system of `dir`, as a report names them. */
export async function machineName(dir: string): Promise<string> {
  const { os, arch } = Deno.build;
  const cores = navigator.hardwareConcurrency;
  const model = /^model name\s*: (.*)$/m.exec(await readProc("cpuinfo") ?? "")
    ?.[1]?.replace(/\s+/g, " ").trim();
  const fileSystem = fileSystemOf(await readProc("self/mounts") ?? "", dir);
  return [
    `${cores} cores${model === undefined ? "" : ` (${model})`}`,
    `${os} ${arch}`,
    ...fileSystem === null ? [] : [`${fileSystem} at ${dir}`],
    `deno ${Deno.version.deno}`,
  ].join(", ");
}

/** Type of the innermost mount above `dir`; `null` for none. */
function fileSystemOf(mounts: string, dir: string): string | null {
  let best: { readonly point: string; readonly type: string } | null = null;
  for (const line of mounts.split("\n")) {
    const [, point = "", type = ""] = line.split(" ");
    const isAbove = point === "/" || dir === point ||
      dir.startsWith(`${point}/`);
    if (point === "" || !isAbove) continue;
    if (best === null || point.length >= best.point.length) {
      best = { point, type };
    }
  }
  return best?.type ?? null;
}
