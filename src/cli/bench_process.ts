import type { ServerProcesses } from "../bench/servers.ts";

/** Of /proc: the same on every Linux that Deno runs on. */
const TICKS_PER_SECOND = 100;

/** The processor time of all together. */
export function processesOf(
  members: readonly { readonly pid: number }[],
): ServerProcesses {
  return {
    cpuMs: async () => {
      const each = await Promise.all(members.map(({ pid }) => cpuMs(pid)));
      return each.reduce(
        (sum, ms) => sum === null || ms === null ? null : sum + ms,
        0,
      );
    },
  };
}

/** Processor time of a process so far; `null` where the system does not tell. */
export async function cpuMs(pid: number | "self"): Promise<number | null> {
  const text = await readProc(`${pid}/stat`);
  // The name, in parentheses, may hold spaces.
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  if (fields === undefined) return null;
  const ticks = Number(fields[11]) + Number(fields[12]);
  return ticks * 1000 / TICKS_PER_SECOND;
}

/** Resident set in MiB; `null` where the system does not tell. */
export async function residentMib(pid: number): Promise<number | null> {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(await readProc(`${pid}/status`) ?? "")
    ?.[1];
  return kib === undefined ? null : Number(kib) / 1024;
}

/** A file of /proc; `null` on other systems and in builds that may not. */
export async function readProc(path: string): Promise<string | null> {
  if (Deno.build.os !== "linux") return null;
  try {
    return await Deno.readTextFile(`/proc/${path}`);
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotCapable
    ) return null;
    throw error;
  }
}
