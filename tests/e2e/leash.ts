const SETPRIV = "/usr/bin/setpriv";

/**
 * Words before a command that end it with its parent, however that ends: a
 * test run that is killed leaves no process behind. Nothing where the system
 * has no such thing; there only ends in order clean up.
 */
export const LEASH: readonly string[] = await isThere(SETPRIV)
  ? [SETPRIV, "--pdeathsig", "KILL"]
  : [];

async function isThere(path: string): Promise<boolean> {
  if (Deno.build.os !== "linux") return false;
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
