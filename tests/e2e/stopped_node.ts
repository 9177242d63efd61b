import { deepEqual, equal, match, ok } from "node:assert/strict";
import { present } from "../../src/base/assert.ts";
import { toHex } from "../../src/base/bytes.ts";
import { denoClock } from "../../src/io/deno/clock.ts";
import { openDenoDisk } from "../../src/io/deno/disk.ts";
import { denoFiles } from "../../src/io/deno/files.ts";
import { denoHttpClient } from "../../src/io/deno/http.ts";
import { denoProcess } from "../../src/io/deno/process.ts";
import { denoRandom } from "../../src/io/deno/random.ts";
import { type Custody, openCustody } from "../../src/keys/custody.ts";
import { openKek } from "../../src/keys/providers/open_kek.ts";
import type { SharedKeys } from "../../src/keys/port.ts";
import type { SidecarFound } from "../../src/keys/sidecar.ts";
import { readSidecar } from "../../src/keys/sidecar_file.ts";
import { type CliEnd, runSealkv } from "./cli_process.ts";
import { NodeProcess, type NodeProcessOptions } from "./node_process.ts";

const EXIT_CONFIG = 78;

/** How a start differs from one with flag and KEK under its own name. */
export interface StartAs {
  readonly node?: string;
  readonly isEnabled?: boolean;
  /** URIs; the KEK file of the home when left out. */
  readonly keks?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Home, address and settings of a node that does not run. */
export class StoppedNode {
  readonly home: string;
  readonly name: string;
  readonly hostname: string;
  /** The KEK file that it is started with. */
  readonly kekPath: string;
  readonly #env: Readonly<Record<string, string>>;

  constructor(
    place: {
      readonly home: string;
      readonly name: string;
      readonly hostname: string;
      /** `kek` in the home when left out. */
      readonly kekPath?: string;
      readonly env?: Readonly<Record<string, string>>;
    },
  ) {
    this.home = place.home;
    this.name = place.name;
    this.hostname = place.hostname;
    this.kekPath = place.kekPath ?? `${place.home}/kek`;
    this.#env = place.env ?? {};
  }

  get dataDir(): string {
    return `${this.home}/${this.name}`;
  }

  get sidecar(): string {
    return `${this.dataDir}/encryption/keys.json`;
  }

  get store(): string {
    return `${this.dataDir}/store.sqlite`;
  }

  get kek(): string {
    return `file:${this.kekPath}`;
  }

  get admin(): string {
    return `${this.hostname}:4514`;
  }

  /** Flags of `serve` and `doctor` that are about keys. */
  keyArgs({ isEnabled = true, keks = [this.kek] }: StartAs): string[] {
    return [
      ...isEnabled ? ["--encryption-enabled"] : [],
      ...keks.flatMap((uri) => ["--kek", uri]),
    ];
  }

  #options(start: StartAs): NodeProcessOptions {
    return {
      dataDir: this.dataDir,
      hostname: this.hostname,
      args: [
        ...["--node", start.node ?? this.name],
        ...this.keyArgs(start),
        ...start.args ?? [],
      ],
      env: { ...this.#env, ...start.env },
    };
  }

  launch(start: StartAs = {}): Promise<NodeProcess> {
    return NodeProcess.launch(this.#options(start));
  }

  start(start: StartAs = {}): Promise<NodeProcess> {
    return NodeProcess.start(this.#options(start));
  }

  /**
   * A start is refused by `code`: 78, three lines, nothing changed, and no
   * listener opened, as this process holds all its addresses meanwhile.
   */
  async refused(code: string, start: StartAs = {}): Promise<Refusal> {
    const before = await contentOf(this.dataDir);
    const held = [4512, 4513, 4514].map((port) =>
      Deno.listen({ hostname: this.hostname, port })
    );
    let node: NodeProcess;
    try {
      node = await this.launch(start);
      const exit = await node.exited();
      equal(exit, EXIT_CONFIG, node.output);
    } finally {
      for (const listener of held) listener.close();
    }
    await using ended = node;
    ok(!/^ready /m.test(ended.output), ended.output);
    const refusal = refusalIn(ended.stderr);
    equal(refusal.code, code, ended.stderr);
    deepEqual(await contentOf(this.dataDir), before, "nothing has changed");
    return refusal;
  }

  /** Runs `doctor` with the settings of `start`, as JSON. */
  async doctor(start: StartAs = {}): Promise<DoctorSays> {
    const before = await contentOf(this.dataDir);
    const { node } = start;
    const { code, stdout, stderr } = await runSealkv([
      ...["doctor", "--json", "--data-dir", this.dataDir],
      ...node === undefined ? [] : ["--node", node],
      ...this.keyArgs(start),
    ], start.env);
    deepEqual(await contentOf(this.dataDir), before, "doctor changes nothing");
    ok(code === 0 || code === EXIT_CONFIG, `${code}: ${stderr}`);
    const said = JSON.parse(stdout) as Omit<DoctorSays, "refused">;
    equal(said.mayStart, code === 0, stdout);
    const refused = said.findings.filter(({ verdict }) => verdict === "refused")
      .map(({ guard, error }) => `${guard} ${error?.code}`);
    return { ...said, refused };
  }

  async resync(...args: string[]): Promise<CliEnd> {
    return await runSealkv([
      ...["encryption", "resync-sidecar", "--json"],
      ...["--data-dir", this.dataDir, ...args],
    ]);
  }

  /** Has the sidecar say something else, as the node itself would write it. */
  async rewriteShared(
    change: (shared: SharedKeys) => SharedKeys,
  ): Promise<void> {
    await this.withCustody(async (custody, { clusterId, shared }) => {
      await custody.absorb(clusterId, change(shared), () => 0);
    });
  }

  /** Lets `act` change the sidecar as the node itself would. */
  async withCustody(
    act: (custody: Custody, sidecar: SidecarFound) => Promise<void>,
  ): Promise<void> {
    const disk = openDenoDisk();
    const http = denoHttpClient({});
    try {
      const kek = await openKek(this.kek, {
        ...{ http, files: denoFiles(), process: denoProcess() },
        ...{ random: denoRandom(), clock: denoClock() },
      });
      const dir = `${this.dataDir}/encryption`;
      const sidecar = present(await readSidecar(disk, dir), "a sidecar");
      const custody = await openCustody({
        ...{ disk, dir, node: this.name, random: denoRandom() },
        ...{ isEnabled: true, keks: [kek], sidecar },
      });
      await act(custody, sidecar);
    } finally {
      http.close();
      await disk.close();
    }
  }

  /** Epochs in the sidecar, by key. */
  async epochs(): Promise<Record<string, number>> {
    const { keys } = JSON.parse(await Deno.readTextFile(this.sidecar));
    return Object.fromEntries(
      Object.entries<{ local_epoch: number }>(keys)
        .map(([id, { local_epoch: epoch }]) => [id, epoch]),
    );
  }
}

/** What `doctor --json` says. */
export interface DoctorSays {
  readonly node: string;
  readonly dataDir: string;
  readonly mayStart: boolean;
  readonly findings: readonly {
    readonly guard: string;
    readonly verdict: string;
    readonly error?: { readonly code: string; readonly remedy: string };
  }[];
  /** Guard and code of each refusal. */
  readonly refused: readonly string[];
}

/** The three lines of an error. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly causes: readonly string[];
  readonly remedy: string;
}

/** Reads the error at the end of a standard error; events come before it. */
export function refusalIn(stderr: string): Refusal {
  const lines = stderr.trimEnd().split("\n").filter((line) =>
    !line.startsWith("{")
  );
  const [, code = "", message = ""] =
    /^error\[([A-Z_]+)\]: (.+)$/.exec(lines[0] ?? "") ?? [];
  ok(message !== "", stderr);
  const causes = lines.slice(1, -1);
  for (const cause of causes) match(cause, /^cause: .+$/);
  const [, remedy = ""] = /^remedy: (.+)$/.exec(lines.at(-1) ?? "") ?? [];
  ok(remedy !== "", stderr);
  return { code, message, causes, remedy };
}

/** Hashes of all files below `dir` but locks, by path. */
export async function contentOf(dir: string): Promise<Record<string, string>> {
  const content: Record<string, string> = {};
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    const path = `${dir}/${name}`;
    if (isDirectory) {
      content[path] = "directory";
      Object.assign(content, await contentOf(path));
    } else if (name !== "LOCK") {
      const bytes = await Deno.readFile(path);
      const hash = await crypto.subtle.digest("SHA-256", bytes);
      content[path] = toHex(new Uint8Array(hash));
    }
  }
  return content;
}

/** Copies a directory and all below it, modes too. */
export async function copyDir(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyDir(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

/**
 * The words of the command that a remedy names, the first that begins with
 * `start`, without `sealkv`; `named` has what stands for URI, ADDR and others.
 */
export function commandIn(
  { remedy }: Pick<Refusal, "remedy">,
  start: string,
  named: Readonly<Record<string, string>>,
): readonly string[] {
  const lines = [...remedy.matchAll(/`sealkv ([^`]+)`/g)]
    .map(([, line = ""]) => line.split(" ").map((word) => named[word] ?? word));
  const words = lines.find((line) => line.join(" ").startsWith(start));
  ok(words !== undefined, `${start}: ${remedy}`);
  return words;
}
