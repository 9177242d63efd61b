/** The words that run this very program, before those of a command. */
export function thisProgram(
  denoFlags: readonly string[] = [],
): readonly [string, ...string[]] {
  if (Deno.build.standalone) return [Deno.execPath()];
  const main = new URL("../../main.ts", import.meta.url).pathname;
  return [Deno.execPath(), "run", "-A", "--quiet", ...denoFlags, main];
}
