import { denoFiles } from "../io/deno/files.ts";
import { denoRandom } from "../io/deno/random.ts";
import { openFileKek } from "../keys/providers/file_kek.ts";

/**
 * Id of the KEK in a file, as nodes name it.
 *
 * @throws {NodeError} KEYS_KEK_INSECURE, KEYS_KEK_UNAVAILABLE and
 * KEYS_KEK_SOURCE_INVALID, as a node would refuse it.
 */
export async function kekFileId(path: string): Promise<string> {
  const ports = { files: denoFiles(), random: denoRandom() };
  return (await openFileKek(path, ports)).id;
}
