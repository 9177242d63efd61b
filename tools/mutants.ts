// deno-lint-ignore-file no-console -- a tool for people
import { type Mutant, mutated, placesOf } from "../tests/mutants/mutant.ts";
import { type Layer, type Part, PARTS } from "../tests/mutants/parts.ts";
import { CORPUS_BESIDE } from "../tests/scenario/corpus.ts";

/**
 * Breaks the raft core, or with `--part` the log (`wal`), the members
 * (`cluster`), what they do with keys (`keys`) and in rollouts (`rollout`), the
 * decisions about encryption (`encryption`) or its changes as operators ask for
 * them (`changes`), in one place at a time and tells which layer of tests notices:
 * `deno task mutants [--part NAME] [--only TEXT] [--layer NAME] [--all] [--write]`.
 *
 * Works on a copy. `--layer` runs only that layer, `--all` every one and not
 * only up to the first one that notices; `--write` keeps the table in
 * tests/mutants/RESULTS*.md.
 */
const ROOT = new URL("../", import.meta.url).pathname;
const COPIED = ["deno.json", "src", "tests"];
/** A mutant that takes so much longer than none at all never ends. */
const SLOWNESS_MAX = 6;
const LAYER_MS_MIN = 10_000;

interface Verdict {
  readonly mutant: Mutant;
  /** Layers that noticed, each with its first complaint. */
  readonly noticed: readonly string[];
}

async function main(args: readonly string[]): Promise<number> {
  const only = valueOf(args, "--only");
  const layer = valueOf(args, "--layer");
  const part = PARTS[valueOf(args, "--part") ?? "raft"];
  if (part === undefined) {
    console.log(`no such part; there are: ${Object.keys(PARTS).join(", ")}`);
    return 2;
  }
  const layers = part.layers.filter(({ name }) =>
    layer === null || name === layer
  );
  const mutants = part.mutants.filter(({ name, file }) =>
    only === null || name.includes(only) || file.endsWith(`/${only}`)
  );
  const stale = await staleMutants(part.mutants);
  for (const complaint of stale) console.log(complaint);
  if (stale.length > 0) return 1;
  const copy = await Deno.makeTempDir({ prefix: "mutants-" });
  try {
    await copyInto(copy);
    const broken = await measure(copy, layers);
    if (broken.length > 0) {
      console.log(`the tests fail without a mutant: ${broken.join(", ")}`);
      return 1;
    }
    const verdicts: Verdict[] = [];
    for (const mutant of mutants) {
      const all = args.includes("--all");
      const noticed = await tryMutant(mutant, copy, { layers, all });
      verdicts.push({ mutant, noticed });
      console.log(describe({ mutant, noticed }));
    }
    if (args.includes("--write")) {
      await Deno.writeTextFile(part.results, resultsOf(part, verdicts));
    }
    const survivors = verdicts.filter(isSurvivor);
    console.log(`${verdicts.length} mutants, ${survivors.length} survive`);
    return survivors.length === 0 ? 0 : 1;
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
}

/** Mutants that do not fit the sources any more. */
async function staleMutants(
  mutants: readonly Mutant[],
): Promise<readonly string[]> {
  const complaints: string[] = [];
  for (const mutant of mutants) {
    const { name, file } = mutant;
    const text = await Deno.readTextFile(`${ROOT}${file}`);
    for (const place of placesOf(mutant)) {
      const count = text.split(place).length - 1;
      if (count === 1) continue;
      complaints.push(`${file}: ${count} places for "${name}"`);
    }
  }
  return complaints;
}

async function tryMutant(
  mutant: Mutant,
  copy: string,
  { layers, all }: { readonly layers: readonly Layer[]; readonly all: boolean },
): Promise<readonly string[]> {
  const path = `${copy}/${mutant.file}`;
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, mutated(text, mutant));
  try {
    return await noticing(copy, layers, all);
  } finally {
    await Deno.writeTextFile(path, text);
  }
}

/** Runs `layers` without a mutant; returns those that fail. */
async function measure(
  copy: string,
  layers: readonly Layer[],
): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const layer of layers) {
    const started = performance.now();
    const complaint = await runLayer(copy, layer);
    const taken = Math.max(LAYER_MS_MIN, performance.now() - started);
    layer.msMax = SLOWNESS_MAX * taken;
    if (complaint !== null) failed.push(`${layer.name}: ${complaint}`);
  }
  return failed;
}

async function noticing(
  copy: string,
  layers: readonly Layer[],
  all: boolean,
): Promise<readonly string[]> {
  const noticed: string[] = [];
  for (const layer of layers) {
    const complaint = await runLayer(copy, layer);
    if (complaint === null) continue;
    noticed.push(`${layer.name}: ${complaint}`);
    if (!all) break;
  }
  return noticed;
}

/** First complaint of the layer; `null` when it has none. */
async function runLayer(copy: string, layer: Layer): Promise<string | null> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...layer.args],
    cwd: copy,
    env: {
      NO_COLOR: "1",
      RAFT_TRANSCRIPTS: Deno.env.get("RAFT_TRANSCRIPTS") ??
        CORPUS_BESIDE.pathname,
    },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let isLate = false;
  const timer = layer.msMax === Infinity ? undefined : setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, layer.msMax);
  const output = await child.output();
  clearTimeout(timer);
  if (output.success) return null;
  if (isLate) return "never ends";
  const text = new TextDecoder().decode(output.stdout) +
    new TextDecoder().decode(output.stderr);
  return complaintIn(text);
}

function complaintIn(text: string): string {
  const failed = /^seed \d+: \w+/m.exec(text)?.[0] ??
    /^(.*) \.\.\. FAILED/m.exec(text)?.[1] ??
    /^(?:error: )?(?:\(in promise\) )?(\w*Error.*)$/m.exec(text)?.[1] ??
    text.trim().split("\n").at(-1) ?? "";
  return failed.trim().slice(0, 90);
}

function describe({ mutant, noticed }: Verdict): string {
  const verdict = noticed.length > 0
    ? noticed.join("; ")
    : mutant.equivalent === undefined
    ? "SURVIVES"
    : `equivalent: ${mutant.equivalent}`;
  return `${mutant.file}: ${mutant.name}: ${verdict}`;
}

function isSurvivor({ mutant, noticed }: Verdict): boolean {
  return noticed.length === 0 && mutant.equivalent === undefined;
}

/** The verdicts as a page: by file, then what transcripts do not notice. */
function resultsOf(part: Part, verdicts: readonly Verdict[]): string {
  const { title, layers } = part;
  const [cheapest] = layers;
  const files = [...new Set(verdicts.map(({ mutant }) => mutant.file))].sort();
  const rows = files.map((file) => {
    const of = verdicts.filter(({ mutant }) => mutant.file === file);
    return `| ${file} | ${countsOf(layers, of).join(" | ")} |`;
  });
  const late = layers.slice(1).map(({ name }) => {
    const names = verdicts
      .filter(({ noticed }) => noticed[0]?.startsWith(`${name}:`))
      .map(({ mutant }) => mutant.name);
    return `- ${name}: ${names.join("; ")}`;
  });
  const equal = verdicts
    .filter(({ noticed }) => noticed.length === 0)
    .map(({ mutant }) =>
      `- ${mutant.file}, ${mutant.name}: ${mutant.equivalent ?? "**survives**"}`
    );
  return [
    `# Mutants of ${title}`,
    "",
    "Written by `deno task mutants --write`. Each mutant changes one place of",
    `${title}; a layer notices it when one of its tests fails. Counted is the`,
    "first layer that does, cheapest first: the later ones may notice as well.",
    "",
    "| file | mutants | " + layers.map(({ name }) => name).join(" | ") + " |",
    "| --- | --- " + layers.map(() => "| --- ").join("") + "|",
    ...rows,
    `| all | ${countsOf(layers, verdicts).join(" | ")} |`,
    "",
    `## Not noticed by ${cheapest?.name}, but by`,
    "",
    ...late,
    "",
    "## Noticed by none, as nothing changes that can be seen",
    "",
    ...equal,
    "",
  ].join("\n");
}

/** Number of mutants, then how many of them each layer notices first. */
function countsOf(
  layers: readonly Layer[],
  verdicts: readonly Verdict[],
): readonly number[] {
  const counts = layers.map(({ name }) =>
    verdicts.filter(({ noticed }) => noticed[0]?.startsWith(`${name}:`)).length
  );
  return [verdicts.length, ...counts];
}

async function copyInto(copy: string): Promise<void> {
  const child = new Deno.Command("cp", {
    args: ["-r", ...COPIED.map((path) => `${ROOT}${path}`), copy],
  });
  const { success } = await child.output();
  if (!success) throw new Error("cannot copy the sources");
}

function valueOf(args: readonly string[], name: string): string | null {
  const at = args.indexOf(name);
  return at < 0 ? null : args[at + 1] ?? null;
}

Deno.exitCode = await main(Deno.args);
