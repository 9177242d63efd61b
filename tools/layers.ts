import {
  type Finding,
  folderOf,
  type Import,
  resolveImport,
  type Source,
  type Tree,
} from "./tidy/source.ts";

/** One folder of `src/`, what it is for and what it may see. */
export interface Layer {
  readonly folder: string;
  readonly does: string;
  /** Folders, or `folder/file` for that file only, besides itself. */
  readonly imports: readonly string[];
  /** npm packages; `@scope/*` for a whole scope. */
  readonly npm: readonly string[];
}

const PROTOBUF = "@bufbuild/protobuf";

/** Every import points down this list: edges first, base last. */
export const LAYERS: readonly Layer[] = [
  layer("cli", "parses flags, calls, prints", [
    "base io app bench rollout admin/client kvconnect/client",
  ], ["commander", "@commander-js/extra-typings", "@bomb.sh/tab"]),
  layer("app", "configuration, secrets and the composition root", [
    "base io raft fsm crypto keys wal store transport node kvconnect admin",
    "rollout",
  ]),
  layer("kvconnect", "data plane: KV Connect over HTTP to commands and back", [
    "base io fsm/types node/port",
  ], [PROTOBUF]),
  layer("rollout", "the encryption ladder as data, seen from a client", [
    "base io/clock io/pause admin/client",
  ]),
  layer("bench", "load generator and the questions it answers", [
    "base io kvconnect/client admin/client",
  ]),
  layer("admin", "control plane: status and changes, and their client", [
    "base io node/port node/member_errors",
    "node/encryption_port node/encryption/change_errors",
  ], [PROTOBUF, "@connectrpc/*"]),
  layer("node", "driver: feeds raft and carries out its effects", [
    "base io raft fsm crypto keys wal store transport",
  ], [PROTOBUF]),
  layer("transport", "links between members", [
    "base io raft/types raft/message",
  ], [PROTOBUF]),
  layer("wal", "the log on disk: append, sync, scan, repair", [
    "base io crypto raft/types",
  ]),
  layer("store", "the applied keyspace on disk", [
    "base io crypto fsm/types fsm/encryption_codec fsm/rollout_codec",
  ], [PROTOBUF]),
  layer("keys", "where keys live", ["base io crypto"], [PROTOBUF, "aws4fetch"]),
  layer("raft", "consensus, pure", ["base"]),
  layer("fsm", "commands to mutations and replies, pure", ["base"], [PROTOBUF]),
  layer("crypto", "bytes in, bytes out", ["base io/deno/gcm"]),
  layer("io", "ports to the world and their adapters", ["base"]),
  layer("base", "assertions, errors, bytes, limits", []),
];

/** Files and folders beside `src/`; `null` means anything. */
export const OUTSIDE: ReadonlyMap<string, readonly string[] | null> = new Map([
  ["main.ts", ["cli", "base"]],
  ["mod.ts", null],
  ["tests", null],
  ["tools", []],
  ["bench", null],
  ["tui", ["base", "io/clock", "io/screen", "admin/client", "rollout"]],
]);

/** What draws the screens. */
const TUI_NPM = ["ink", "react"] as const;

/**
 * Who may import lazily: what a command does not need it does not load. React
 * loads in no other way, and only for the terminal views.
 */
const LAZY = { from: "cli", views: "tui/main.tsx" } as const;

function layer(
  folder: string,
  does: string,
  imports: readonly string[],
  npm: readonly string[] = [],
): Layer {
  const allowed = imports.flatMap((row) => row.split(" "));
  return { folder, does, imports: allowed, npm };
}

/** Imports that do not point down the list. */
export function layerViolations(tree: Tree): Finding[] {
  const findings: Finding[] = [];
  for (const source of tree.sources.values()) {
    for (const item of source.imports) {
      const use = breach(source, item);
      if (use === null) continue;
      findings.push({
        path: source.path,
        line: item.line,
        rule: `import of "${item.specifier}" breaks the layers`,
        use,
      });
    }
  }
  return findings;
}

/** What to do instead of `item`; `null` when it is allowed. */
function breach(source: Source, item: Import): string | null {
  if (/^(?:npm|jsr|https?):/.test(item.specifier)) {
    return "a name from the imports of deno.json";
  }
  const folder = folderOf(source.path);
  const layer = LAYERS.find((row) => row.folder === folder);
  if (folder !== null && layer === undefined) {
    return "a folder that tools/layers.ts lists";
  }
  const target = resolveImport(source.path, item.specifier);
  if (target === null) {
    const npm = source.path.startsWith("tui/") ? TUI_NPM : layer?.npm;
    return npm === undefined || item.specifier.startsWith("node:") ||
        npm.some((name) => isOfPackage(item.specifier, name))
      ? null
      : `a package its row allows: ${npm.join(" ") || "none"}`;
  }
  if (layer === undefined) return outsideBreach(source.path, target);
  if (item.kind === "lazy") {
    if (layer.folder !== LAZY.from) return "a static import";
    if (target === LAZY.views) return null;
  }
  return isAllowed(target, [layer.folder, ...layer.imports])
    ? null
    : `what its row allows: ${layer.imports.join(" ") || "nothing"}`;
}

function outsideBreach(path: string, target: string): string | null {
  if (!target.startsWith("src/")) return null;
  const allowed = OUTSIDE.get(path.split("/")[0] ?? path) ?? null;
  if (allowed === null || isAllowed(target, allowed)) return null;
  return `what its row allows: ${allowed.join(" ") || "nothing of src"}`;
}

function isAllowed(target: string, allowed: readonly string[]): boolean {
  return allowed.some((entry) =>
    entry.includes("/")
      ? target === `src/${entry}.ts`
      : target.startsWith(`src/${entry}/`)
  );
}

function isOfPackage(specifier: string, name: string): boolean {
  if (name.endsWith("/*")) return specifier.startsWith(name.slice(0, -1));
  return specifier === name || specifier.startsWith(`${name}/`);
}
