// deno-lint-ignore-file no-console -- a tool prints.
/**
 * Regenerates `src/<folder>/gen/*_pb.ts` from `src/<folder>/*.proto`.
 *
 *     deno run -A tools/gen_proto.ts            write what changed
 *     deno run -A tools/gen_proto.ts --check    exit 1 when anything would
 *
 * The compiler and the generator come from npm into a temporary directory; the
 * schema registry of buf is never asked. A folder's files may import each other
 * and `google/protobuf/*`, nothing else.
 */
const TOOLS = ["@bufbuild/buf@1.75.0", "@bufbuild/protoc-gen-es@2.17.0"];

const root = new URL("..", import.meta.url).pathname;

if (import.meta.main) Deno.exitCode = await main(Deno.args);

async function main(args: readonly string[]): Promise<number> {
  const check = args.includes("--check");
  const work = await Deno.makeTempDir({ prefix: "gen_proto_" });
  try {
    await run(work, "npm", [
      "install",
      "--no-audit",
      "--no-fund",
      "--silent",
      ...TOOLS,
    ]);
    let stale = 0;
    for (const folder of await protoFolders(`${root}src`)) {
      stale += await refresh(folder, await generate(work, folder), check);
    }
    if (check && stale > 0) {
      console.error(`${stale} stale: run deno run -A tools/gen_proto.ts`);
      return 1;
    }
    return 0;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

async function protoFolders(path: string): Promise<readonly string[]> {
  const folders: string[] = [];
  for await (const item of Deno.readDir(path)) {
    if (item.isDirectory) {
      folders.push(...await protoFolders(`${path}/${item.name}`));
    } else if (item.name.endsWith(".proto") && !folders.includes(path)) {
      folders.push(path);
    }
  }
  return folders.sort();
}

/** Returns file name → text of the folder's generated code. */
async function generate(
  work: string,
  folder: string,
): Promise<ReadonlyMap<string, string>> {
  const out = await Deno.makeTempDir({ dir: work });
  const template = {
    version: "v2",
    plugins: [{
      local: [`${work}/node_modules/.bin/protoc-gen-es`],
      out,
      opt: ["target=ts", "import_extension=ts"],
    }],
  };
  await run(folder, `${work}/node_modules/.bin/buf`, [
    "generate",
    ".",
    "--template",
    JSON.stringify(template),
  ]);
  return await readTexts(out);
}

async function refresh(
  folder: string,
  fresh: ReadonlyMap<string, string>,
  check: boolean,
): Promise<number> {
  const gen = `${folder}/gen`;
  await Deno.mkdir(gen, { recursive: true });
  const present = await readTexts(gen);
  let stale = 0;
  for (const name of new Set([...present.keys(), ...fresh.keys()])) {
    const text = fresh.get(name);
    if (text === present.get(name)) continue;
    stale += 1;
    console.log(`${gen.slice(root.length)}/${name}`);
    if (check) continue;
    if (text === undefined) await Deno.remove(`${gen}/${name}`);
    else await Deno.writeTextFile(`${gen}/${name}`, text);
  }
  return stale;
}

async function readTexts(path: string): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  for await (const item of Deno.readDir(path)) {
    if (!item.isFile) continue;
    texts.set(item.name, await Deno.readTextFile(`${path}/${item.name}`));
  }
  return texts;
}

async function run(
  cwd: string,
  command: string,
  args: readonly string[],
): Promise<void> {
  const { success, code } = await new Deno.Command(command, {
    cwd,
    args: [...args],
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`${command} ended with code ${code}`);
}
