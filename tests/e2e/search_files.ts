import { Buffer } from "node:buffer";

/** Half of a text that was stored, or a form that nobody stored it in. */
export interface Finding {
  readonly text: string;
  readonly path: string;
}

const HALF_CHARS = 12;

/**
 * Texts that nothing but their own record can have brought into a file. Each
 * has two halves, which begin alike: one at least is whole in a file even where
 * the end of a page cuts the text.
 */
export class Canaries {
  readonly #mark = `canary${crypto.randomUUID().slice(0, 8)}`;

  /** A new text; `kind` is one letter, `phase` one digit. */
  draw(kind: string, phase: number): Canary {
    const unique = crypto.randomUUID().replaceAll("-", "").slice(0, HALF_CHARS);
    const halves = ["a", "b"].map((half) =>
      `${this.#mark}${kind}${phase}${half}${unique}`
    );
    return { kind, phase, halves, text: halves.join("") };
  }

  /**
   * Looks for all of them in every byte of every file below `dirs`, whatever
   * the file is of: pages that nothing uses and the rest of a preallocated file
   * are bytes like others. Each half is told once a file.
   */
  async search(dirs: readonly string[]): Promise<readonly Finding[]> {
    const findings: Finding[] = [];
    const written = this.#pattern();
    const printed = printedForms(this.#mark);
    for (const dir of dirs) {
      for (const path of await filesIn(dir)) {
        const content = latin1(await bytesOf(path));
        const found = new Set(
          [...content.matchAll(written)]
            .map(([text]) => text.replaceAll("\0", "")),
        );
        for (const form of printed) if (content.includes(form)) found.add(form);
        for (const text of found) findings.push({ text, path });
      }
    }
    return findings;
  }

  /** A half in UTF-8 or, with a zero after each character, in UTF-16. */
  #pattern(): RegExp {
    const wide = (chars: readonly string[]) => chars.join("\\0?");
    const end = wide(["[a-z]", "\\d", "[ab]"]);
    const unique = `(?:\\0?[0-9a-f]){${HALF_CHARS}}`;
    return new RegExp(`${wide([...this.#mark])}\\0?${end}${unique}`, "g");
  }
}

export interface Canary {
  readonly kind: string;
  readonly phase: number;
  readonly halves: readonly string[];
  readonly text: string;
}

/** In hex, and in base64 wherever it begins. */
function printedForms(text: string): readonly string[] {
  const bytes = new TextEncoder().encode(text);
  const based = [0, 1, 2].map((skip) => {
    const whole = bytes.subarray(skip);
    return whole.subarray(0, whole.length - whole.length % 3).toBase64();
  });
  return [bytes.toHex(), bytes.toHex().toUpperCase(), ...based];
}

/** All files below `dir`, of every kind. */
export async function filesIn(dir: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    const path = `${dir}/${name}`;
    if (isDirectory) found.push(...await filesIn(path));
    else found.push(path);
  }
  return found;
}

/** Nothing of a file that is gone by its turn. */
async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return new Uint8Array();
    throw error;
  }
}

/** One character a byte: the search is the engine's then. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    .toString("latin1");
}
