const ROOT = new URL("../../", import.meta.url).pathname;

/** What people read first: the README, and docs but decisions. */
export function pagesToRead(): readonly Page[] {
  const docs = [...Deno.readDirSync(`${ROOT}docs`)]
    .map(({ name }) => `docs/${name}`)
    .filter((path) => path.endsWith(".md"));
  return ["README.md", ...docs.sort()].map((path) => {
    return { path, text: Deno.readTextFileSync(ROOT + path) };
  });
}

export interface Page {
  /** From the top of the repository. */
  readonly path: string;
  readonly text: string;
}

/** Writes a page where it differs from `text`. */
export function writePage({ path, text: old }: Page, text: string): void {
  if (text !== old) Deno.writeTextFileSync(ROOT + path, text);
}
