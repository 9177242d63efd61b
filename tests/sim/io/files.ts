import type { Bytes } from "../../../src/base/bytes.ts";
import { FileError } from "../../../src/io/errors.ts";
import type { Files } from "../../../src/io/files.ts";

/** Files in memory; `open` lists those that any user may read. */
export interface MemoryFiles extends Files {
  readonly contents: Map<string, Bytes>;
  readonly open: Set<string>;
}

export function memoryFiles(
  initial: Readonly<Record<string, string>> = {},
): MemoryFiles {
  const encoder = new TextEncoder();
  const contents = new Map<string, Bytes>(
    Object.entries(initial).map(([path, text]) => [path, encoder.encode(text)]),
  );
  const open = new Set<string>();
  return {
    contents,
    open,
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
  };
}
