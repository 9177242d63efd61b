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
