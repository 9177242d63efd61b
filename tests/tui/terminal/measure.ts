import { pause } from "../../../bench/sealed/cluster.ts";
import type { Shown, Terminal } from "./terminal.ts";

/** Of a kernel's `clock_t`, as Linux has it everywhere. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4_096;
/** A demo starts a cluster first, and takes it down in the end. */
const OPEN_MS_MAX = 120_000;
const LEAVE_MS_MAX = 60_000;

/** What a screen takes of a machine. */
export interface ScreenCost {
  /** From Enter until the frame is there, looked for every 25 ms. */
  readonly firstFrameMs: number;
  /** Of a processor until then, which other programs do not lengthen. */
  readonly firstFrameCpuMs: number;
  /** Of one core, while nobody types. */
  readonly idleShare: number;
  readonly idleBytesPerSecond: number;
  /** Times that the whole screen was cleared while nobody typed. */
  readonly idleClears: number;
  readonly residentBytes: number;
  /** By how much memory grew from the middle of the idle time to its end. */
  readonly grownBytes: number;
}

export interface MeasuredScreen {
  readonly command: string;
  /** What its first whole frame shows. */
  readonly shows: readonly Shown[];
  /** For how long nobody types. */
  readonly idleMs: number;
}

/** Opens a screen in a shell that prompts, looks at it and leaves it. */
export async function measureScreen(
  terminal: Terminal,
  { command, shows, idleMs }: MeasuredScreen,
): Promise<ScreenCost> {
  await terminal.type(`clear; ${command}`);
  const startedMs = performance.now();
  await terminal.press("Enter");
  await terminal.showsWithin(OPEN_MS_MAX, ...shows);
  const firstFrameMs = performance.now() - startedMs;
  const pid = await terminal.pid();
  const firstTicks = await ticksOf(pid);
  const recording = await terminal.record();
  const ticks = await ticksOf(pid);
  await pause(idleMs / 2);
  const halfBytes = await residentBytesOf(pid);
  await pause(idleMs / 2);
  const used = await ticksOf(pid) - ticks;
  const written = await recording.text();
  const residentBytes = await residentBytesOf(pid);
  await terminal.press("C-c");
  await terminal.promptsWithin(LEAVE_MS_MAX);
  const seconds = idleMs / 1_000;
  return {
    firstFrameMs,
    firstFrameCpuMs: firstTicks / TICKS_PER_SECOND * 1_000,
    idleShare: used / TICKS_PER_SECOND / seconds,
    idleBytesPerSecond: written.length / seconds,
    // deno-lint-ignore no-control-regex
    idleClears: written.match(/\x1b\[[23]?J/g)?.length ?? 0,
    residentBytes,
    grownBytes: residentBytes - halfBytes,
  };
}

/** Of all threads, in user and in system mode. */
async function ticksOf(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  // The name before may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

async function residentBytesOf(pid: number): Promise<number> {
  const statm = await Deno.readTextFile(`/proc/${pid}/statm`);
  return Number(statm.split(" ")[1]) * PAGE_BYTES;
}
