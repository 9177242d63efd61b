/**
 * A cluster on this machine, in the foreground, until Ctrl-C:
 *
 *     deno task cluster [--nodes N] [--dir D] [--base-port P] [--encrypted]
 *
 * With --dir it is kept there and goes on next time; without, all of it is
 * removed in the end. With --encrypted the members have a KEK, which lies in
 * that directory too: to look at keys, not to protect anything.
 */
import { parseArgs } from "node:util";
import { keepKek } from "./cluster/kek.ts";
import {
  encryptionFlags,
  type LocalMember,
  type MemberEnd,
  memberFlags,
  MEMBERS_MAX,
  placeMembers,
  startMember,
} from "./cluster/member.ts";
import { type Painter, painter } from "./cluster/paint.ts";
import { makeTokens, type Tokens } from "./cluster/tokens.ts";
import { print } from "./print.ts";

const STOP_MS_MAX = 10_000;
const EXIT_USAGE = 2;
const USAGE =
  `Usage: deno task cluster [--nodes 1-${MEMBERS_MAX}] [--dir DIR] [--base-port PORT] [--encrypted]`;

interface Wanted {
  readonly nodes: number;
  /** `null`: a temporary one. */
  readonly dir: string | null;
  readonly basePort: number;
  readonly isEncrypted: boolean;
}

/** `null` when the words make no sense. */
function parseWanted(args: readonly string[]): Wanted | null {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        "nodes": { type: "string", default: "3" },
        "dir": { type: "string" },
        "base-port": { type: "string", default: "4512" },
        "encrypted": { type: "boolean", default: false },
      },
    });
    const nodes = Number(values.nodes);
    const basePort = Number(values["base-port"]);
    const isGood = Number.isInteger(nodes) && nodes >= 1 &&
      nodes <= MEMBERS_MAX && Number.isInteger(basePort) && basePort >= 1 &&
      basePort + 10 * nodes <= 65_536;
    const isEncrypted = values.encrypted;
    const dir = values.dir ?? null;
    return isGood ? { nodes, basePort, dir, isEncrypted } : null;
  } catch (error) {
    // What parseArgs says of an unknown flag.
    if (error instanceof TypeError) return null;
    throw error;
  }
}

async function main(args: readonly string[]): Promise<number> {
  const wanted = parseWanted(args);
  if (wanted === null) {
    print(USAGE);
    return EXIT_USAGE;
  }
  const dir = wanted.dir ??
    await Deno.makeTempDir({ prefix: "sealkv-cluster-" });
  try {
    return await run(await Deno.realPath(await madeDir(dir)), wanted);
  } finally {
    if (wanted.dir === null) await Deno.remove(dir, { recursive: true });
  }
}

async function madeDir(dir: string): Promise<string> {
  await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
  return dir;
}

async function run(dir: string, wanted: Wanted): Promise<number> {
  const paint = painter();
  const tokens = await makeTokens(dir);
  const encryption = wanted.isEncrypted
    ? encryptionFlags(await keepKek(dir))
    : [];
  const places = placeMembers(wanted.nodes, wanted.basePort, dir);
  const signals = listen();
  const members = places.map((place, index) => {
    const say = (line: string) =>
      print(`${paint.name(place.name, index)} ${paint.line(line)}`);
    const flags = [...memberFlags(place, places), ...encryption];
    return startMember(place, flags, tokens, say);
  });
  const ended = Promise.all(
    members.map((member) => announceEnd(member, paint)),
  );
  try {
    const first = await Promise.race([
      Promise.all(members.map(({ ready }) => ready)),
      signals.first,
      ended,
    ]);
    if (isAllReady(first)) {
      introduce(places, tokens, paint);
      if (wanted.isEncrypted) introduceKeys();
      print("Ctrl-C stops all.\n");
    }
    await Promise.race([signals.first, ended]);
  } finally {
    for (const member of members) member.signal("SIGTERM");
    const timer = setTimeout(() => endAll(members), STOP_MS_MAX);
    void signals.second.then(() => endAll(members));
    await ended;
    clearTimeout(timer);
    signals.cancel();
  }
  const ends = await ended;
  return ends.every(({ code }) => code === 0) ? 0 : 1;
}

/** True for the answers of members that all serve. */
function isAllReady(first: unknown): boolean {
  return Array.isArray(first) && first.every((ready) => ready === true);
}

function endAll(members: readonly LocalMember[]): void {
  for (const member of members) member.signal("SIGKILL");
}

async function announceEnd(
  { name, end }: LocalMember,
  paint: Painter,
): Promise<MemberEnd> {
  const result = await end;
  const how = result.signal ?? `code ${result.code}`;
  print(paint.strong(`${name} has ended with ${how}`));
  return result;
}

function introduce(
  places: ReturnType<typeof placeMembers>,
  tokens: Tokens,
  paint: Painter,
): void {
  const admins = places.map(({ admin }) => admin).join(",");
  print(paint.strong(`\nAll ${places.length} members serve.\n`));
  for (const { name, listen, admin } of places) {
    print(`  ${name}  http://${listen}  (admin ${admin})`);
  }
  print(`
A program uses any of them:
  export DENO_KV_ACCESS_TOKEN=$(cat ${tokens.accessPath})
  const kv = await Deno.openKv("http://${places[0]?.listen}");

How it is:
  export SEALKV_ADMIN_TOKEN=$(cat ${tokens.adminPath})
  export SEALKV_ADMIN=${admins}
  deno task start status
`);
}

function introduceKeys(): void {
  print(
    `Its keys, under a KEK that lies beside the data, which is for trying only:
  deno task start encryption bootstrap
  deno task start encryption rotate-dek --purpose storage
  deno task start encryption status
`,
  );
}

/** Promises of the first stop signal, and of the next one. */
function listen() {
  const first = Promise.withResolvers<"stopped">();
  const second = Promise.withResolvers<"stopped">();
  let firstMs: number | null = null;
  const onSignal = () => {
    // A terminal tells `deno task` and this at once; that is one Ctrl-C.
    if (firstMs === null) firstMs = performance.now();
    else if (performance.now() - firstMs > 500) second.resolve("stopped");
    first.resolve("stopped");
  };
  const names = ["SIGINT", "SIGTERM"] as const;
  for (const name of names) Deno.addSignalListener(name, onSignal);
  return {
    first: first.promise,
    second: second.promise,
    cancel() {
      for (const name of names) Deno.removeSignalListener(name, onSignal);
    },
  };
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
