import { toHex, utf8 } from "../../base/bytes.ts";
import { denoRandom } from "../../io/deno/random.ts";
import { freeAddresses } from "../bench_address.ts";
import { InputInvalidError, UsageError } from "../errors.ts";
import type { Services } from "../services.ts";

/** One node of a demo: where it listens and what it keeps. */
export interface DemoMember {
  readonly name: string;
  readonly dataDir: string;
  readonly listen: string;
  readonly peer: string;
  readonly admin: string;
}

export interface DemoTokens {
  readonly access: string;
  readonly admin: string;
  readonly peer: string;
}

/** A directory with all that a demo needs to go on in it. */
export interface DemoPlace {
  readonly dir: string;
  readonly members: readonly DemoMember[];
  /** Beside the data, as on a machine of one's own it would not be. */
  readonly kekPath: string;
  readonly tokens: DemoTokens;
  /** The text in every value that the demo writes. */
  readonly canary: string;
}

/** What `demo.json` keeps of it. */
interface Kept {
  readonly canary: string;
  readonly tokens: DemoTokens;
  readonly addresses: readonly Pick<
    DemoMember,
    "listen" | "peer" | "admin"
  >[];
}

const MEMBERS = 3;
const PORTS = [4512, 4513, 4514] as const;
const PORTS_A_MEMBER = 10;
const HOST = "127.0.0.1";
const TOKEN_BYTES = 16;
const CANARY_BYTES = 4;
const KEPT_BYTES_MAX = 65_536;

/** The last port that a base port stands for is below 65536. */
export const BASE_PORT_MAX = 65_535 - PORTS_A_MEMBER * MEMBERS;

/**
 * Opens the demo that `dir` has, or makes one in it.
 *
 * @throws {InputInvalidError | UsageError} When something else is in `dir`, or
 *   a demo on other ports.
 */
export async function openDemoPlace(
  services: Services,
  dir: string,
  basePort: number | null,
): Promise<DemoPlace> {
  const path = `${dir}/demo.json`;
  const file = await services.files.read(path, KEPT_BYTES_MAX);
  if (file !== null) {
    const text = new TextDecoder().decode(file.bytes);
    const kept = parseKept(text, path);
    mustBeAt(basePort, kept, dir);
    return placeOf(dir, kept);
  }
  await mustBeEmpty(dir);
  const kept = drawKept(basePort);
  const place = placeOf(dir, kept);
  await services.generateKek(place.kekPath);
  const { files } = services;
  for (const [purpose, token] of Object.entries(place.tokens)) {
    await files.createPrivate(tokenPath(dir, purpose), utf8(`${token}\n`));
  }
  await files.createPrivate(path, utf8(`${JSON.stringify(kept)}\n`));
  return place;
}

/** @throws {UsageError} Its nodes know each other by the ports of before. */
function mustBeAt(
  basePort: number | null,
  { addresses }: Kept,
  dir: string,
): void {
  const listen = addresses[0]?.listen ?? "";
  if (basePort === null || listen === `${HOST}:${basePort}`) return;
  throw new UsageError(
    `Cannot use --base-port ${basePort} as the demo in "${dir}" listens at ${listen}`,
    "Leave out --base-port to go on with it, or give --dir another directory",
  );
}

/** Where commands beside the demo find a token of it. */
export function tokenPath(dir: string, purpose: string): string {
  return `${dir}/${purpose}.token`;
}

/** As `--admin` takes it. */
export function adminOf({ members }: DemoPlace): string {
  return members.map(({ admin }) => admin).join();
}

function placeOf(dir: string, kept: Kept): DemoPlace {
  const { canary, tokens, addresses } = kept;
  const members = addresses.map((address, i) => {
    const name = `n${i + 1}`;
    return { name, dataDir: `${dir}/${name}`, ...address };
  });
  return { dir, members, kekPath: `${dir}/kek/kek`, tokens, canary };
}

function drawKept(basePort: number | null): Kept {
  const random = denoRandom();
  const token = () => toHex(random.bytes(TOKEN_BYTES));
  const addresses = Array.from({ length: MEMBERS }, (_, i) => {
    const [listen = "", peer = "", admin = ""] = basePort === null
      ? freeAddresses(random, PORTS)
      : PORTS.map((_, at) => `${HOST}:${basePort + PORTS_A_MEMBER * i + at}`);
    return { listen, peer, admin };
  });
  return {
    canary: `canary-${toHex(random.bytes(CANARY_BYTES))}`,
    tokens: { access: token(), admin: token(), peer: token() },
    addresses,
  };
}

/** @throws {InputInvalidError} */
function parseKept(text: string, path: string): Kept {
  const refuse = (cause?: unknown) =>
    new InputInvalidError(
      `"${path}"`,
      "a file of a demo",
      "Give --dir another directory, or remove this one",
      { cause },
    );
  let kept: Partial<Kept>;
  try {
    kept = { ...JSON.parse(text) };
  } catch (cause) {
    throw refuse(cause);
  }
  const { canary, tokens, addresses } = kept;
  const isWhole = typeof canary === "string" && canary !== "" &&
    hasTexts(tokens, ["access", "admin", "peer"]) &&
    Array.isArray(addresses) && addresses.length === MEMBERS &&
    addresses.every((one) => hasTexts(one, ["listen", "peer", "admin"]));
  if (!isWhole || tokens === undefined || addresses === undefined) {
    throw refuse();
  }
  return { canary, tokens, addresses };
}

function hasTexts(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== "object" || value === null) return false;
  const fields: Partial<Record<string, unknown>> = { ...value };
  return names.every((name) => typeof fields[name] === "string");
}

/** @throws {UsageError} */
async function mustBeEmpty(dir: string): Promise<void> {
  await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
  for await (const { name } of Deno.readDir(dir)) {
    throw new UsageError(
      `Cannot make a demo in "${dir}" as it is not empty: ` +
        `current value is "${name}" in it`,
      "Give --dir a new directory, or the one of an earlier demo",
    );
  }
}
