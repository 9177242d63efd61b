import { statfs } from "node:fs";
import type { Space } from "../space.ts";

const HIDDEN: Space = { freeBytes: 0n, totalBytes: 0n };

/** As this process may use it: what is kept for root is not free. */
export function denoSpaceOf(path: string): Promise<Space> {
  return new Promise((resolve) => {
    try {
      statfs(path, { bigint: true }, (error, stats) => {
        if (error !== null) return resolve(HIDDEN);
        const { bavail, blocks, bsize } = stats;
        resolve({ freeBytes: bavail * bsize, totalBytes: blocks * bsize });
      });
    } catch {
      // Without the permission it throws at once.
      resolve(HIDDEN);
    }
  });
}

/** Never opens the file: SQLite's locks would end when it is closed again. */
export async function denoBytesOf(path: string): Promise<bigint> {
  try {
    return BigInt((await Deno.stat(path)).size);
  } catch {
    return 0n;
  }
}
