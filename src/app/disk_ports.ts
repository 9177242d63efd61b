import { denoClock } from "../io/deno/clock.ts";
import { openDenoDisk } from "../io/deno/disk.ts";
import { denoFiles } from "../io/deno/files.ts";
import { denoHttpClient } from "../io/deno/http.ts";
import { openDenoKv } from "../io/deno/kv.ts";
import { denoProcess } from "../io/deno/process.ts";
import { denoRandom } from "../io/deno/random.ts";

/** What a command that works on files needs of this machine. */
export type DiskPorts = ReturnType<typeof diskPorts>["ports"];

/** Runs `use` with ports that end with it. */
export async function onDiskPorts<Result>(
  use: (ports: DiskPorts) => Promise<Result>,
): Promise<Result> {
  const { ports, close } = diskPorts();
  try {
    return await use(ports);
  } finally {
    await close();
  }
}

function diskPorts() {
  const disk = openDenoDisk();
  const http = denoHttpClient({});
  const ports = {
    disk,
    http,
    openKv: openDenoKv,
    files: denoFiles(),
    process: denoProcess(),
    random: denoRandom(),
    clock: denoClock(),
  };
  return {
    ports,
    close: async () => {
      http.close();
      await disk.close();
    },
  };
}
