/** What was found below one directory. */
export interface SearchResult {
  /** Files with the text, as paths below it: shortest first. */
  readonly files: readonly string[];
  /** How many files were looked at, and how long they are together. */
  readonly searched: { readonly files: number; readonly bytes: number };
}

interface Seen {
  readonly size: number;
  readonly mtimeMs: number;
  readonly isFound: boolean;
}

const PIECE_BYTES = 1_048_576;

/**
 * Looks for the bytes of a text in every byte of every file below a directory:
 * pages that nothing uses any more are bytes like others.
 */
export class TextSearch {
  readonly #text: Uint8Array;
  readonly #piece = new Uint8Array(PIECE_BYTES);
  readonly #seen = new Map<string, Seen>();

  constructor(text: string) {
    this.#text = new TextEncoder().encode(text);
  }

  /**
   * `isWhole`: reads files again that have the size and time of an earlier
   * search, too. A file that is gone by its turn holds nothing. Not for two
   * searches at once.
   */
  async search(dir: string, isWhole: boolean): Promise<SearchResult> {
    const found: string[] = [];
    let files = 0;
    let bytes = 0;
    for (const path of await filesBelow(dir)) {
      const seen = await this.#look(path, isWhole);
      if (seen === null) continue;
      files += 1;
      bytes += seen.size;
      if (seen.isFound) found.push(path.slice(dir.length + 1));
    }
    found.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
    return { files: found, searched: { files, bytes } };
  }

  async #look(path: string, isWhole: boolean): Promise<Seen | null> {
    try {
      using file = await Deno.open(path);
      const { size, mtime } = await file.stat();
      const mtimeMs = mtime?.getTime() ?? NaN;
      const seen = this.#seen.get(path);
      const isSame = seen?.size === size && seen.mtimeMs === mtimeMs;
      if (seen !== undefined && isSame && !isWhole) return seen;
      const isFound = await this.#isIn(file);
      const now = { size, mtimeMs, isFound };
      this.#seen.set(path, now);
      return now;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      this.#seen.delete(path);
      return null;
    }
  }

  async #isIn(file: Deno.FsFile): Promise<boolean> {
    const piece = this.#piece;
    const overlap = this.#text.length - 1;
    // The end of one piece stays in front of the next.
    let kept = 0;
    for (;;) {
      const read = await file.read(piece.subarray(kept));
      if (read === null) return false;
      const filled = kept + read;
      if (indexOfBytes(piece.subarray(0, filled), this.#text) !== -1) {
        return true;
      }
      const from = Math.max(0, filled - overlap);
      piece.copyWithin(0, from, filled);
      kept = filled - from;
    }
  }
}

/** Where `part` begins in `bytes`; -1 for nowhere. */
export function indexOfBytes(bytes: Uint8Array, part: Uint8Array): number {
  const [first = 0] = part;
  const last = bytes.length - part.length;
  let at = bytes.indexOf(first);
  while (at !== -1 && at <= last) {
    let same = 1;
    while (same < part.length && bytes[at + same] === part[same]) same += 1;
    if (same >= part.length) return at;
    at = bytes.indexOf(first, at + 1);
  }
  return -1;
}

/** A directory that is gone by its turn has none. */
async function filesBelow(dir: string): Promise<readonly string[]> {
  const found: string[] = [];
  try {
    for await (const { name, isDirectory, isFile } of Deno.readDir(dir)) {
      const path = `${dir}/${name}`;
      if (isDirectory) found.push(...await filesBelow(path));
      else if (isFile) found.push(path);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found;
}
