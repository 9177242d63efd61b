import type { KekPorts } from "../../../src/keys/kek_ports.ts";
import { SimClock } from "../../sim/io/clock.ts";
import { type MemoryFiles, memoryFiles } from "../../sim/io/files.ts";
import { SimHttp } from "../../sim/io/http.ts";
import { SimProcess } from "../../sim/io/process.ts";
import { SimRandom } from "../../sim/io/random.ts";

export interface SimKekPorts extends KekPorts {
  readonly files: MemoryFiles;
  readonly process: SimProcess;
  readonly random: SimRandom;
  readonly clock: SimClock;
  /** Serves what `http` asks. */
  readonly net: SimHttp;
}

export function simKekPorts(
  variables: Readonly<Record<string, string>> = {},
): SimKekPorts {
  const clock = new SimClock();
  const process = new SimProcess(clock);
  for (const [name, value] of Object.entries(variables)) {
    process.environment.set(name, value);
  }
  const net = new SimHttp(clock);
  return {
    files: memoryFiles(),
    process,
    random: new SimRandom(1),
    http: net.client("node"),
    clock,
    net,
  };
}

/** Recognisable bytes. */
export function rawKek(from = 0x40): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: 32 }, (_, i) => from + i);
}
