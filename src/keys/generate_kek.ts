import { kekIdOf } from "../crypto/kek_wrap.ts";
import { wipe } from "../crypto/wipe.ts";
import type { Files } from "../io/files.ts";
import type { Random } from "../io/random.ts";
import { KekExistsError } from "./kek_errors.ts";
import { KEK_BYTES } from "./providers/local_kek.ts";

/**
 * Makes a KEK file (32 random bytes, 0600) and tells its id.
 *
 * @throws {KekExistsError} Whatever is there stays.
 * @throws {FileError}
 */
export async function generateKekFile(
  path: string,
  ports: { readonly files: Files; readonly random: Random },
): Promise<{ readonly id: string }> {
  const raw = ports.random.bytes(KEK_BYTES);
  try {
    const id = `file:${await kekIdOf(raw)}`;
    if (await ports.files.createPrivate(path, raw)) return { id };
  } finally {
    wipe(raw);
  }
  throw new KekExistsError(path);
}
