const SETPRIV = "/usr/bin/setpriv";

/**
 * Words before a command that send it `signal` when its parent ends, however
 * that ends: nothing is left running behind a program that was killed. None
 * where the system has no such thing.
 */
export function leash(signal: "KILL" | "TERM"): readonly string[] {
  return hasSetpriv ? [SETPRIV, "--pdeathsig", signal] : [];
}

const hasSetpriv = isThere();

function isThere(): boolean {
  if (Deno.build.os !== "linux") return false;
  try {
    return Deno.statSync(SETPRIV).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
