import { leash } from "../leash.ts";
import type { Tokens } from "./tokens.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const HOST = "127.0.0.1";
const PORTS_A_MEMBER = 10;

/** More than anyone watches in one terminal. */
export const MEMBERS_MAX = 9;

/** Where a member of a local cluster is. */
export interface MemberPlace {
  readonly name: string;
  readonly dataDir: string;
  readonly listen: string;
  readonly peer: string;
  readonly admin: string;
}

export interface MemberEnd {
  readonly code: number;
  readonly signal: Deno.Signal | null;
}

/** A member that runs, or ran. */
export interface LocalMember {
  readonly name: string;
  /** True when it serves; false when it ended before. */
  readonly ready: Promise<boolean>;
  /** When it ended and all that it said is said. */
  readonly end: Promise<MemberEnd>;
  signal(signal: Deno.Signal): void;
}

/** n1 at `basePort` and the two ports above it, n2 ten further, and so on. */
export function placeMembers(
  count: number,
  basePort: number,
  dir: string,
): readonly MemberPlace[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `n${index + 1}`;
    const port = basePort + PORTS_A_MEMBER * index;
    return {
      name,
      dataDir: `${dir}/${name}`,
      listen: `${HOST}:${port}`,
      peer: `${HOST}:${port + 1}`,
      admin: `${HOST}:${port + 2}`,
    };
  });
}

/** Flags of `serve` for one of `places`. */
export function memberFlags(
  { name, dataDir, listen, peer, admin }: MemberPlace,
  places: readonly MemberPlace[],
): readonly string[] {
  const founders = places.map(({ name, peer }) => `${name}=${peer}`).join(",");
  return [
    ...["--node", name, "--data-dir", dataDir, "--initial-cluster", founders],
    ...["--listen", listen, "--peer-listen", peer, "--admin-listen", admin],
    ...["--log-format", "pretty"],
  ];
}

/** Further flags of `serve` for a member that takes part in encryption. */
export function encryptionFlags(kekPath: string): readonly string[] {
  return ["--encryption-enabled", "--kek", `file:${kekPath}`];
}

/** Starts a member; `say` gets each line of its output. */
export function startMember(
  { name }: MemberPlace,
  flags: readonly string[],
  { env }: Tokens,
  say: (line: string) => void,
): LocalMember {
  const [program = "", ...args] = [...leash("TERM"), Deno.execPath()];
  const child = new Deno.Command(program, {
    args: [...args, "run", "-A", "--quiet", MAIN, "serve", ...flags],
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    // Ctrl-C is for this program: it tells the members, once.
    detached: true,
  }).spawn();
  const ready = Promise.withResolvers<boolean>();
  const output = Promise.all([
    eachLine(child.stderr, say),
    eachLine(child.stdout, (line) => {
      say(line);
      if (line.startsWith("ready ")) ready.resolve(true);
    }),
  ]);
  const end = output.then(async () => {
    const { code, signal } = await child.status;
    ready.resolve(false);
    return { code, signal };
  });
  return {
    name,
    ready: ready.promise,
    end,
    signal(signal) {
      try {
        child.kill(signal);
      } catch (error) {
        // It has ended by itself.
        if (!(error instanceof TypeError)) throw error;
      }
    },
  };
}

async function eachLine(
  stream: ReadableStream<Uint8Array>,
  take: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    const lines = `${rest}${part}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(line);
  }
  if (rest !== "") take(rest);
}
