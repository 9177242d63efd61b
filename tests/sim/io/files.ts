import { type Bytes, concatBytes } from "../../../src/base/bytes.ts";
import { FileError } from "../../../src/io/errors.ts";
import type { Files } from "../../../src/io/files.ts";

/** Files in memory; `open` lists those that any user may read. */
export interface MemoryFiles extends Files {
  readonly contents: Map<string, Bytes>;
  readonly open: Set<string>;
  /** Permission bits of files that are not 0600. */
  readonly modes: Map<string, number>;
  /** Pipes, directories and devices. */
  readonly irregular: Set<string>;
}

const PRIVATE_MODE = 0o600;
const OPEN_MODE = 0o604;

export function memoryFiles(
  initial: Readonly<Record<string, string>> = {},
): MemoryFiles {
  const encoder = new TextEncoder();
  const contents = new Map<string, Bytes>(
    Object.entries(initial).map(([path, text]) => [path, encoder.encode(text)]),
  );
  const open = new Set<string>();
  const modes = new Map<string, number>();
  const irregular = new Set<string>();
  return {
    contents,
    open,
    modes,
    irregular,
    read(path, bytesMax) {
      const bytes = contents.get(path);
      if (bytes === undefined) return Promise.resolve(null);
      if (bytes.length > bytesMax) {
        return Promise.reject(
          new FileError("read", path, `it is longer than ${bytesMax} bytes`),
        );
      }
      return Promise.resolve({
        bytes: bytes.slice(),
        isOpenToOthers: open.has(path),
      });
    },
    createPrivate(path, bytes) {
      if (contents.has(path)) return Promise.resolve(false);
      contents.set(path, bytes.slice());
      return Promise.resolve(true);
    },
    append(path, bytes) {
      const before = contents.get(path) ?? new Uint8Array(0);
      contents.set(path, concatBytes(before, bytes));
      return Promise.resolve();
    },
    readPrivate(path, bytesMax) {
      const bytes = contents.get(path);
      const isRegular = !irregular.has(path);
      if (bytes === undefined && isRegular) return Promise.resolve(null);
      return Promise.resolve({
        bytes: isRegular && bytes !== undefined
          ? bytes.slice(0, bytesMax)
          : new Uint8Array(0),
        isRegular,
        mode: modes.get(path) ?? (open.has(path) ? OPEN_MODE : PRIVATE_MODE),
      });
    },
  };
}
