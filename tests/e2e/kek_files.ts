import { equal } from "node:assert/strict";
import { runSealkv } from "./cli_process.ts";

/** The flag that lets a node take part. */
export const ENCRYPTION_ON = "--encryption-enabled";

export interface KekFile {
  readonly path: string;
  /** As wraps name it. */
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** KEKs that operators made, each in a file of its own. */
export class KekFiles implements AsyncDisposable {
  readonly dir: string;
  readonly all: KekFile[] = [];

  private constructor(dir: string) {
    this.dir = dir;
  }

  static async open(): Promise<KekFiles> {
    return new KekFiles(await Deno.makeTempDir({ prefix: "sealkv-keks-" }));
  }

  async make(name: string): Promise<KekFile> {
    const path = `${this.dir}/${name}`;
    const words = ["kek", "generate", "--out", path, "--json"];
    const { code, stdout, stderr } = await runSealkv(words);
    equal(code, 0, stderr);
    const { id } = JSON.parse(stdout) as { readonly id: string };
    const file = { path, id, bytes: await Deno.readFile(path) };
    this.all.push(file);
    return file;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.dir, { recursive: true });
  }
}

/** Flags of a node with these, the primary one first. */
export function kekArgs(...keks: readonly KekFile[]): readonly string[] {
  return [
    ENCRYPTION_ON,
    ...keks.flatMap(({ path }) => ["--kek", `file:${path}`]),
  ];
}
