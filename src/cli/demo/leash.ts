const SETPRIV = "/usr/bin/setpriv";

/**
 * Words before a command that stop it when its parent ends, however that ends:
 * nothing runs on behind a demo that was killed. None where the system has no
 * such thing.
 */
export async function leash(): Promise<readonly string[]> {
  if (Deno.build.os !== "linux") return [];
  try {
    const { isFile } = await Deno.stat(SETPRIV);
    return isFile ? [SETPRIV, "--pdeathsig", "TERM"] : [];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
