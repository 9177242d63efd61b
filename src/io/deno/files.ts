import type { Bytes } from "../../base/bytes.ts";
import { FileError } from "../errors.ts";
import type { FileContent, Files } from "../files.ts";
import { readPrivate } from "./private_file.ts";

const PRIVATE_FILE_MODE = 0o600;
const PRIVATE_DIR_MODE = 0o700;
const OTHERS_READ_BIT = 0o004;

/** Files of this machine. */
export function denoFiles(): Files {
  return { read: readFile, createPrivate, append, readPrivate };
}

async function readFile(
  path: string,
  bytesMax: number,
): Promise<FileContent | null> {
  try {
    using file = await Deno.open(path, { read: true });
    const { isFile, size, mode } = await file.stat();
    // A pipe (as process substitution makes) has no size: the limit is
    // enforced while reading, for files that grow as well.
    if (isFile && size > bytesMax) throw tooLong(path, bytesMax);
    const bytes = await readUpTo(file, bytesMax, path);
    const isOpenToOthers = isFile && mode !== null &&
      (mode & OTHERS_READ_BIT) !== 0;
    return { bytes, isOpenToOthers };
  } catch (cause) {
    if (cause instanceof FileError) throw cause;
    if (cause instanceof Deno.errors.NotFound) return null;
    throw new FileError("read", path, "the system refuses it", { cause });
  }
}

async function readUpTo(
  file: Deno.FsFile,
  bytesMax: number,
  path: string,
): Promise<Bytes> {
  const buffer = new Uint8Array(bytesMax + 1);
  let length = 0;
  while (length < buffer.length) {
    const count = await file.read(buffer.subarray(length));
    if (count === null) return buffer.slice(0, length);
    length += count;
  }
  throw tooLong(path, bytesMax);
}

function tooLong(path: string, bytesMax: number): FileError {
  return new FileError("read", path, `it is longer than ${bytesMax} bytes`);
}

async function createPrivate(path: string, bytes: Bytes): Promise<boolean> {
  const cut = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  const draft = `${path}.${crypto.randomUUID()}.draft`;
  try {
    if (cut > 0) {
      await Deno.mkdir(path.slice(0, cut), {
        recursive: true,
        mode: PRIVATE_DIR_MODE,
      });
    }
    await writeDraft(draft, bytes);
    try {
      // A link, unlike a rename, refuses to replace what is there.
      await Deno.link(draft, path);
      return true;
    } finally {
      await Deno.remove(draft);
    }
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) return false;
    throw new FileError("create", path, "the system refuses it", { cause });
  }
}

async function append(path: string, bytes: Bytes): Promise<void> {
  try {
    using file = await Deno.open(path, {
      append: true,
      create: true,
      mode: PRIVATE_FILE_MODE,
    });
    await writeAll(file, bytes);
  } catch (cause) {
    throw new FileError("append to", path, "the system refuses it", { cause });
  }
}

async function writeDraft(path: string, bytes: Bytes): Promise<void> {
  using file = await Deno.open(path, {
    write: true,
    createNew: true,
    mode: PRIVATE_FILE_MODE,
  });
  await writeAll(file, bytes);
}

/** Durable when it resolves. */
async function writeAll(file: Deno.FsFile, bytes: Bytes): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    written += await file.write(bytes.subarray(written));
  }
  await file.sync();
}
