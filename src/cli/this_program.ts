/** The words that run this very program, before those of a command. */
export function thisProgram(
  denoFlags: readonly string[] = [],
): readonly [string, ...string[]] {
  if (Deno.build.standalone) return [Deno.execPath()];
  const root = new URL("../../", import.meta.url).pathname;
  const flags = ["-A", "--quiet", ...denoFlags];
  return [Deno.execPath(), "run", ...flags, `${root}main.ts`];
}
