/** Processor time of one thread between two looks, in processors. */
export interface ThreadUse {
  readonly thread: string;
  readonly user: number;
  readonly system: number;
  /** Times a second that it waited for something. */
  readonly waits: number;
}

interface ThreadTime {
  readonly thread: string;
  readonly userTicks: number;
  readonly systemTicks: number;
  readonly waits: number;
}

/** Of /proc: the same on every Linux that Deno runs on. */
const TICKS_PER_SECOND = 100;

/** Reads the times of all threads of `pid` so far, by thread id. */
export function threadTimes(pid: number): ReadonlyMap<string, ThreadTime> {
  const times = new Map<string, ThreadTime>();
  for (const { name: thread } of Deno.readDirSync(`/proc/${pid}/task`)) {
    try {
      times.set(thread, threadTime(`/proc/${pid}/task/${thread}`));
    } catch (error) {
      // A thread that ended meanwhile.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return times;
}

function threadTime(dir: string): ThreadTime {
  const stat = Deno.readTextFileSync(`${dir}/stat`);
  // The name, in parentheses, may hold spaces.
  const end = stat.lastIndexOf(")");
  const fields = stat.slice(end + 2).split(" ");
  const status = Deno.readTextFileSync(`${dir}/status`);
  const waits = /^voluntary_ctxt_switches:\s+(\d+)$/m.exec(status)?.[1];
  return {
    thread: stat.slice(stat.indexOf("(") + 1, end),
    userTicks: Number(fields[11]),
    systemTicks: Number(fields[12]),
    waits: Number(waits ?? 0),
  };
}

/** What each thread used of `seconds`, the busiest first. */
export function threadUses(
  before: ReadonlyMap<string, ThreadTime>,
  after: ReadonlyMap<string, ThreadTime>,
  seconds: number,
): ThreadUse[] {
  return [...after].map(([id, until]) => {
    const from = before.get(id) ??
      { userTicks: 0, systemTicks: 0, waits: 0 };
    const each = (ticks: number) => ticks / TICKS_PER_SECOND / seconds;
    return {
      thread: `${until.thread} ${id}`,
      user: each(until.userTicks - from.userTicks),
      system: each(until.systemTicks - from.systemTicks),
      waits: (until.waits - from.waits) / seconds,
    };
  }).sort((a, b) => b.user + b.system - a.user - a.system);
}

/** Ticks of the whole machine so far, by what they went to. */
export function machineTicks(): Readonly<Record<string, number>> {
  const names = ["user", "nice", "system", "idle", "iowait", "irq", "softirq"];
  const [line = ""] = Deno.readTextFileSync("/proc/stat").split("\n");
  const ticks = line.split(/\s+/).slice(1).map(Number);
  return Object.fromEntries(names.map((name, i) => [name, ticks[i] ?? 0]));
}

/** Processors of the whole machine by what they did for `seconds`. */
export function machineUse(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
  seconds: number,
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(after).map(([name, ticks]) => [
      name,
      (ticks - (before[name] ?? 0)) / TICKS_PER_SECOND / seconds,
    ]),
  );
}
