import { LAYERS } from "./layers.ts";
import { print } from "./print.ts";
import { readTree } from "./tidy/read_tree.ts";

export const MAP_PAGE = "docs/map.md";

/** The page: the folders of `src/` and the way through them. */
export function mapPage(): string {
  const rows = LAYERS.map(({ folder, does, imports, npm }) =>
    `| \`${folder}\` | ${does} | ${imports.join(" ")} | ${npm.join(" ")} |`
  );
  return `# Map

Written by \`deno task gen:map\` from \`tools/layers.ts\`, which \`deno task tidy\`
holds against every import. Imports point down this list only; \`a/b\` allows that
one file.

| folder of \`src/\` | does | imports | npm |
| ---------------- | ---- | ------- | --- |
${rows.join("\n")}

## The path of a write

1. \`kvconnect\` parses the HTTP body into a command; limits and token first.
2. \`node\` gathers the commands that arrive together into one proposal; a
   follower hands it to its leader over \`transport\`.
3. The leader's \`raft\` appends it and says what must be durable where.
4. \`wal\` makes it durable, one sync for the batch, while \`transport\` copies
   it to the other members, which do the same.
5. Committed by a quorum: on every member \`fsm\` evaluates checks and turns
   commands into mutations.
6. \`store\` shows them at once and commits them, with the applied index, to
   Deno KV behind.
7. Applied where the client waits: \`kvconnect\` answers with the versionstamp;
   watchers are told.

## The path of a read

1. \`kvconnect\` parses the ranges.
2. \`node\` asks \`raft\` for a read index (strong reads): the leader makes sure
   that it leads. Any member then waits until it has applied that far.
3. \`store\` reads all ranges from one state; expired records are absent.

## Where the world comes in

Disk, backing store, clock, randomness, sockets, HTTP, process and event log are
ports in \`src/io/\`, with one adapter each in \`src/io/deno/\` and one simulated
twin each in \`tests/sim/io/\`; \`tests/contract/\` holds both to the same suite.
\`app\` puts a node together from them; \`cli\` starts it.
`;
}

if (import.meta.main) {
  const page = mapPage();
  if (Deno.args.includes("--check")) {
    if (readTree().files.get(MAP_PAGE) !== page) {
      print(`${MAP_PAGE} is out of date, use deno task gen:map`);
      Deno.exit(1);
    }
  } else {
    Deno.mkdirSync("docs", { recursive: true });
    Deno.writeTextFileSync(MAP_PAGE, page);
  }
}
