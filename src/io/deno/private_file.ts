import { close, constants, fstat, open, read, type Stats } from "node:fs";
import type { Bytes } from "../../base/bytes.ts";
import { FileError } from "../errors.ts";
import type { PrivateFile } from "../files.ts";

const PERMISSION_BITS = 0o7777;

/** `Deno.open` has no such flag, and without it a pipe blocks for ever. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) |
  (constants.O_NOCTTY ?? 0);

/** `readPrivate` of `Files`, on one descriptor. */
export async function readPrivate(
  path: string,
  bytesMax: number,
): Promise<PrivateFile | null> {
  try {
    const fd = await call<number>((done) => open(path, OPEN_FLAGS, done));
    try {
      return await readOpen(fd, bytesMax);
    } finally {
      await call<void>((done) => close(fd, (error) => done(error, undefined)));
    }
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return null;
    throw new FileError("read", path, "the system refuses it", { cause });
  }
}

async function readOpen(fd: number, bytesMax: number): Promise<PrivateFile> {
  const stats = await call<Stats>((done) => fstat(fd, done));
  const isRegular = stats.isFile();
  const mode = Deno.build.os === "windows"
    ? null
    : stats.mode & PERMISSION_BITS;
  const bytes = isRegular ? await readFirst(fd, bytesMax) : new Uint8Array(0);
  return { bytes, isRegular, mode };
}

async function readFirst(fd: number, bytesMax: number): Promise<Bytes> {
  const buffer = new Uint8Array(bytesMax);
  let length = 0;
  while (length < bytesMax) {
    const count = await call<number>((done) =>
      read(fd, buffer, length, bytesMax - length, null, done)
    );
    if (count === 0) break;
    length += count;
  }
  // No copy: a secret stays in one place, which the caller can wipe.
  return buffer.subarray(0, length);
}

function call<T>(
  start: (done: (error: Error | null | undefined, value: T) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) =>
    start((error, value) => error ? reject(error) : resolve(value))
  );
}

function codeOf(cause: unknown): unknown {
  return cause instanceof Error && "code" in cause ? cause.code : null;
}
