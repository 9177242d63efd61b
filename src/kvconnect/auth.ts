import {
  type Bytes,
  concatBytes,
  fromHex,
  setUint64,
  toHex,
  viewOf,
} from "../base/bytes.ts";
import type { Clock } from "../io/clock.ts";
import { BoundedMap } from "./bounded_map.ts";
import type { Database, Databases } from "./databases.ts";
import { TokenRefusedError } from "./errors.ts";
import {
  TOKEN_GRACE_MS,
  TOKEN_STEP_MS,
  TOKEN_VALID_MS,
  TOKENS_CACHED_MAX,
} from "./limits.ts";
import type { TokenSigner } from "./token_signer.ts";

const BEARER = "Bearer ";
/** Expiry in Unix ms, decimal, at most 15 digits ‖ "." ‖ MAC in hex. */
const DATA_TOKEN = /^([0-9]{1,15})\.([0-9a-f]{64})$/;

/** A verified data token. */
export interface Grant {
  readonly database: Database;
  /** Unix ms, grace included. */
  readonly worksUntilMs: number;
}

/**
 * Issues and verifies tokens.
 *
 * A data token is stateless, `<expiry>.<HMAC(database id ‖ expiry)>`: every
 * member verifies it, also after a restart, and issuing another leaves it
 * valid. Verified ones are remembered by their header, so that a request costs
 * one map lookup.
 */
export class Auth {
  readonly #signer: TokenSigner;
  readonly #databases: Databases;
  readonly #clock: Clock;
  readonly #grants = new BoundedMap<string, Grant>(TOKENS_CACHED_MAX);

  constructor(
    options: {
      readonly signer: TokenSigner;
      readonly databases: Databases;
      readonly clock: Clock;
    },
  ) {
    this.#signer = options.signer;
    this.#databases = options.databases;
    this.#clock = options.clock;
  }

  /** @throws {TokenRefusedError} Unless the header holds the access token. */
  async checkAccess(header: string | null): Promise<void> {
    if (!await this.#signer.isAccessToken(bearerOf(header))) {
      throw new TokenRefusedError("Cannot accept this access token");
    }
  }

  /** A data token for `database`: visible ASCII, or Deno would crash. */
  async issue(database: Database): Promise<string> {
    const validUntil = this.#clock.wallMs() + TOKEN_VALID_MS;
    const expiryMs = Math.ceil(validUntil / TOKEN_STEP_MS) * TOKEN_STEP_MS;
    const mac = await this.#signer.sign(
      database.clusterId,
      messageOf(database, expiryMs),
    );
    return `${expiryMs}.${toHex(mac)}`;
  }

  /** The grant of a header seen before; `null` asks for `verify`. */
  known(header: string | null, database: string): Grant | null {
    if (header === null) return null;
    const grant = this.#grants.get(header);
    return grant !== undefined && grant.database.name === database &&
        this.#clock.wallMs() <= grant.worksUntilMs
      ? grant
      : null;
  }

  /** @throws {TokenRefusedError} Unless it is a live token of `database`. */
  async verify(header: string | null, database: string): Promise<Grant> {
    const token = DATA_TOKEN.exec(bearerOf(header));
    const mac = fromHex(token?.[2] ?? "");
    if (token === null || mac === null) {
      throw new TokenRefusedError("Cannot accept this data token");
    }
    const expiryMs = Number(token[1]);
    const found = await this.#databases.find(database);
    const signed = await this.#signer.verify(
      found.clusterId,
      messageOf(found, expiryMs),
      mac,
    );
    const worksUntilMs = expiryMs + TOKEN_GRACE_MS;
    if (!signed || this.#clock.wallMs() > worksUntilMs) {
      throw new TokenRefusedError("Cannot accept this data token");
    }
    const grant = { database: found, worksUntilMs };
    this.#grants.set(BEARER + token[0], grant);
    return grant;
  }
}

/** @throws {TokenRefusedError} When there is none. */
function bearerOf(header: string | null): string {
  // The scheme is case-insensitive (RFC 9110 §11.1).
  if (
    header === null ||
    header.slice(0, BEARER.length).toLowerCase() !== BEARER.toLowerCase()
  ) {
    throw new TokenRefusedError("Cannot find a bearer token in the request");
  }
  return header.slice(BEARER.length).trim();
}

/** Database id ‖ expiry, u64 big-endian. */
function messageOf(database: Database, expiryMs: number): Bytes {
  const expiry = new Uint8Array(8);
  setUint64(viewOf(expiry), 0, expiryMs);
  return concatBytes(database.id, expiry);
}
