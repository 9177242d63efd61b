import { denoFiles } from "../io/deno/files.ts";
import { denoRandom } from "../io/deno/random.ts";
import { generateKekFile } from "../keys/generate_kek.ts";

/**
 * Makes a KEK file on the real disk.
 *
 * @throws {NodeError} KEYS_KEK_EXISTS; what the disk refuses.
 */
export async function generateKek(
  path: string,
): Promise<{ readonly id: string }> {
  const ports = { files: denoFiles(), random: denoRandom() };
  return await generateKekFile(path, ports);
}
