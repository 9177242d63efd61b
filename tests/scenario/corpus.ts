/** Where the corpus is looked for unless RAFT_TRANSCRIPTS names a folder. */
export const CORPUS_BESIDE = new URL(
  "../../../shared/conformance/raft/",
  import.meta.url,
);

/** A file of the conformance corpus, with its path below the corpus. */
export interface CorpusFile {
  readonly path: string;
  readonly text: string;
}

/**
 * Reads every file below the corpus whose name ends with `suffix`, sorted.
 *
 * The corpus is where RAFT_TRANSCRIPTS says, or beside this project; empty
 * when there is none.
 */
export function readCorpus(suffix: string): readonly CorpusFile[] {
  const given = Deno.env.get("RAFT_TRANSCRIPTS");
  const root = given === undefined || given === ""
    ? CORPUS_BESIDE
    : new URL(`${given.replace(/\/+$/, "")}/`, `file://${Deno.cwd()}/`);
  return readBelow(root, "", suffix);
}

function readBelow(root: URL, path: string, suffix: string): CorpusFile[] {
  const files: CorpusFile[] = [];
  for (const item of listFolder(new URL(`./${path}`, root))) {
    const itemPath = `${path}${item.name}`;
    if (item.isDirectory) {
      files.push(...readBelow(root, `${itemPath}/`, suffix));
    } else if (item.name.endsWith(suffix)) {
      const text = Deno.readTextFileSync(new URL(`./${itemPath}`, root));
      files.push({ path: itemPath, text });
    }
  }
  return files;
}

function listFolder(folder: URL): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(folder)]
      .sort((a, b) => a.name < b.name ? -1 : 1);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
