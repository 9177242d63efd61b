/** A function and its share of all samples, callees not counted. */
export interface FunctionUse {
  readonly name: string;
  readonly share: number;
}

/** As much of Chrome's Profiler.Profile as is needed here. */
interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
  }[];
  readonly samples: readonly number[];
  /** Microseconds since the sample before. */
  readonly timeDeltas: readonly number[];
}

const SAMPLE_MICROSECONDS = 250;

/** The sampling profiler of a process that runs with `--inspect=ADDRESS`. */
export class FunctionProfiler {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #id = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const { id, result } = JSON.parse(data);
      this.#waiting.get(id)?.(result);
      this.#waiting.delete(id);
    };
  }

  /** Connects to the main thread and starts to sample it. */
  static async start(address: string): Promise<FunctionProfiler> {
    const [target] = await (await fetch(`http://${address}/json/list`)).json();
    const socket = new WebSocket(target.webSocketDebuggerUrl);
    await new Promise((done) => socket.onopen = done);
    const profiler = new FunctionProfiler(socket);
    await profiler.#call("Profiler.enable");
    const interval = SAMPLE_MICROSECONDS;
    await profiler.#call("Profiler.setSamplingInterval", { interval });
    await profiler.#call("Profiler.start");
    return profiler;
  }

  /** Stops; what was running, the most first. "(idle)" is waiting. */
  async stop(): Promise<FunctionUse[]> {
    const { profile } = await this.#call("Profiler.stop") as {
      readonly profile: Profile;
    };
    this.#socket.close();
    return functionUses(profile);
  }

  #call(method: string, params = {}): Promise<unknown> {
    const id = this.#id += 1;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, resolve);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return promise;
  }
}

function functionUses({ nodes, samples, timeDeltas }: Profile): FunctionUse[] {
  const names = new Map(nodes.map(({ id, callFrame }) => {
    const { functionName, url, lineNumber } = callFrame;
    const place = url === "" ? "" : ` ${shortened(url)}:${lineNumber + 1}`;
    return [id, `${functionName || "(anonymous)"}${place}`];
  }));
  const times = new Map<string, number>();
  let total = 0;
  for (const [i, id] of samples.entries()) {
    const name = names.get(id) ?? "(unknown)";
    const time = timeDeltas[i] ?? 0;
    times.set(name, (times.get(name) ?? 0) + time);
    total += time;
  }
  return [...times].map(([name, time]) => ({ name, share: time / total }))
    .sort((a, b) => b.share - a.share);
}

function shortened(url: string): string {
  return /(?:src|ext|npm)[/:].*$/.exec(url)?.[0] ?? url;
}
