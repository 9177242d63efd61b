import { wipe } from "../../crypto/wipe.ts";
import { FileError } from "../../io/errors.ts";
import type { PrivateFile } from "../../io/files.ts";
import {
  InsecureKekFileError,
  KekSourceInvalidError,
  KekUnavailableError,
} from "../kek_errors.ts";
import type { KekPorts } from "../kek_ports.ts";
import type { Kek } from "../port.ts";
import { KEK_BYTES, LocalKek } from "./local_kek.ts";

/** Bits of the group and of all others. */
const OTHERS = 0o077;

/**
 * `file:PATH`: 32 raw bytes in a regular file that only its owner may use.
 *
 * Links are followed; mode and kind are those of the open file. Where the
 * system has no modes (Windows), none is checked.
 *
 * @throws {KekSourceInvalidError | InsecureKekFileError | KekUnavailableError}
 */
export async function openFileKek(
  path: string,
  ports: Pick<KekPorts, "files" | "random">,
): Promise<Kek> {
  if (path === "" || path.includes("\0")) {
    throw new KekSourceInvalidError("file", "it names no path");
  }
  const file = await look(path, ports);
  if (!file.isRegular) throw new InsecureKekFileError(path, null);
  if (file.mode !== null && (file.mode & OTHERS) !== 0) {
    wipe(file.bytes);
    throw new InsecureKekFileError(path, file.mode);
  }
  if (file.bytes.length !== KEK_BYTES) {
    const length = file.bytes.length;
    wipe(file.bytes);
    const has = length > KEK_BYTES ? `more than ${KEK_BYTES}` : `${length}`;
    throw new KekUnavailableError(
      `file:${path}`,
      "malformed",
      `a KEK file holds exactly ${KEK_BYTES} raw bytes: current value is ` +
        `${has} bytes`,
      "Put the right file there, or make a new KEK with " +
        "`sealkv kek generate --out FILE` when nothing is wrapped yet",
    );
  }
  return await LocalKek.of(file.bytes, ports.random);
}

async function look(
  path: string,
  { files }: Pick<KekPorts, "files">,
): Promise<PrivateFile> {
  let file: PrivateFile | null;
  try {
    // One byte more than a KEK tells that a file is too long.
    file = await files.readPrivate(path, KEK_BYTES + 1);
  } catch (cause) {
    if (!(cause instanceof FileError)) throw cause;
    throw new KekUnavailableError(
      `file:${path}`,
      "denied",
      "its file cannot be read",
      "Let the user that runs the node read it",
      { cause },
    );
  }
  if (file !== null) return file;
  throw new KekUnavailableError(
    `file:${path}`,
    "missing",
    "its file does not exist",
    "Put the file back from its backup, or mount what it is on",
  );
}
