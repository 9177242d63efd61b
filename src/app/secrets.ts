import { utf8 } from "../base/bytes.ts";
import type { Files } from "../io/files.ts";
import type { Random } from "../io/random.ts";
import { toHex } from "../base/bytes.ts";
import { TokenInvalidError, TokenMissingError } from "./errors.ts";

const TOKEN_LENGTH_MIN = 12;
/** Far above any real token, far below what a header may hold. */
export const TOKEN_LENGTH_MAX = 1_024;
const TOKEN_FILE_BYTES_MAX = TOKEN_LENGTH_MAX + 2;
const MADE_TOKEN_BYTES = 24;

export type TokenPurpose = "access" | "admin" | "peer";

/** Where a token may come from, best first. */
export interface TokenPlaces {
  readonly purpose: TokenPurpose;
  /** The file that the user named. */
  readonly file: string | null;
  /** Environment variables, best first. */
  readonly variables: readonly string[];
  /** The file that a node without flags makes and keeps. */
  readonly kept: string | null;
}

export interface SecretPorts {
  readonly files: Files;
  env(name: string): string | undefined;
}

/**
 * A token and where it came from. Hides the token from every form of printing:
 * only `reveal` gives it out.
 */
export class Token {
  readonly #text: string;

  constructor(
    text: string,
    readonly source: string,
    /** The file it came from is readable by every user of this machine. */
    readonly isOpenToOthers = false,
  ) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toJSON(): string {
    return "[token]";
  }

  [Symbol.for("Deno.customInspect")](): string {
    return "[token]";
  }
}

/**
 * Reads a token that must be there.
 *
 * @throws {TokenMissingError | TokenInvalidError | FileError}
 */
export async function readToken(
  places: TokenPlaces,
  ports: SecretPorts,
): Promise<Token> {
  const token = await findToken(places, ports);
  if (token !== null) return token;
  throw new TokenMissingError(places.purpose, describePlaces(places));
}

/**
 * Reads a token; when there is none, makes one and keeps it (0600) where the
 * same user's clients look.
 *
 * @throws {TokenMissingError} When there is no place to keep one.
 * @throws {TokenInvalidError | FileError}
 */
export async function readOrMakeToken(
  places: TokenPlaces,
  ports: SecretPorts & { readonly random: Random },
): Promise<{ readonly token: Token; readonly isMade: boolean }> {
  const found = await findToken(places, ports);
  if (found !== null) return { token: found, isMade: false };
  const { kept } = places;
  if (kept === null) {
    throw new TokenMissingError(places.purpose, describePlaces(places));
  }
  const made = drawToken(ports.random).reveal();
  const isMade = await ports.files.createPrivate(kept, utf8(`${made}\n`));
  // Another process may have been first: its token is the one that counts.
  return { token: await readToken(places, ports), isMade };
}

/** A token that is kept nowhere. */
export function drawToken(random: Random): Token {
  return new Token(toHex(random.bytes(MADE_TOKEN_BYTES)), "this process");
}

async function findToken(
  places: TokenPlaces,
  ports: SecretPorts,
): Promise<Token | null> {
  if (places.file !== null) {
    const token = await readTokenFile(places.file, ports.files);
    if (token !== null) return token;
    throw new TokenMissingError(places.purpose, [`the file "${places.file}"`]);
  }
  for (const variable of places.variables) {
    const text = ports.env(variable);
    if (text !== undefined && text !== "") {
      return checkedToken(text, variable, false);
    }
  }
  return places.kept === null
    ? null
    : await readTokenFile(places.kept, ports.files);
}

async function readTokenFile(
  path: string,
  files: Files,
): Promise<Token | null> {
  const content = await files.read(path, TOKEN_FILE_BYTES_MAX);
  if (content === null) return null;
  const text = new TextDecoder().decode(content.bytes).replace(/\r?\n$/, "");
  return checkedToken(text, `the file "${path}"`, content.isOpenToOthers);
}

function checkedToken(
  text: string,
  source: string,
  isOpenToOthers: boolean,
): Token {
  if (text.length < TOKEN_LENGTH_MIN) {
    throw new TokenInvalidError(
      source,
      `it is shorter than ${TOKEN_LENGTH_MIN} characters`,
    );
  }
  if (text.length > TOKEN_LENGTH_MAX) {
    throw new TokenInvalidError(
      source,
      `it is longer than ${TOKEN_LENGTH_MAX} characters`,
    );
  }
  // A header cannot carry other characters, and some clients end on them.
  if (!/^[\x21-\x7e]+$/.test(text)) {
    throw new TokenInvalidError(
      source,
      "it has a character that is not visible ASCII",
    );
  }
  return new Token(text, source, isOpenToOthers);
}

function describePlaces(places: TokenPlaces): readonly string[] {
  return [
    `--${places.purpose}-token-file`,
    ...places.variables,
    ...(places.kept === null ? [] : [`the file "${places.kept}"`]),
  ];
}
