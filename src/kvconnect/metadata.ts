import type { Clock } from "../io/clock.ts";
import type { RemoteAddress } from "../io/http.ts";
import type { Auth } from "./auth.ts";
import { readBody } from "./body.ts";
import { BoundedMap } from "./bounded_map.ts";
import type { Database, Databases } from "./databases.ts";
import { RequestInvalidError } from "./errors.ts";
import {
  DENO_EXPIRES_MS,
  EXCHANGE_REMOTES_MAX,
  EXCHANGE_WINDOW_MS,
  EXCHANGES_PER_WINDOW_MAX,
  METADATA_BODY_BYTES_MAX,
  OTHER_EXPIRES_MS,
  TOKEN_VALID_MS,
} from "./limits.ts";

/** Protocol versions served, best first. */
const PROTOCOL_VERSIONS = [3, 2] as const;

interface Window {
  readonly startMs: number;
  exchanges: number;
}

/** Answers metadata exchanges (kvconnect.md §1). */
export class Metadata {
  readonly #auth: Auth;
  readonly #databases: Databases;
  readonly #clock: Clock;
  readonly #endpointBase: string;
  readonly #windows = new BoundedMap<string, Window>(EXCHANGE_REMOTES_MAX);

  /**
   * `endpointBase` ("" or like `https://kv.example:4512`) precedes endpoint
   * paths, for clients that do not resolve them.
   */
  constructor(
    options: {
      readonly auth: Auth;
      readonly databases: Databases;
      readonly clock: Clock;
      readonly endpointBase: string;
    },
  ) {
    this.#auth = options.auth;
    this.#databases = options.databases;
    this.#clock = options.clock;
    this.#endpointBase = options.endpointBase;
  }

  /** @throws {NodeError} TokenRefused, RequestInvalid, ServiceNotReady. */
  async answer(
    request: Request,
    remote: RemoteAddress,
    name: string,
  ): Promise<Response> {
    await this.#auth.checkAccess(request.headers.get("authorization"));
    const body = await readBody(request, METADATA_BODY_BYTES_MAX);
    const version = chooseVersion(new TextDecoder().decode(body));
    const database = await this.#databases.find(name);
    // @deno/kv refuses any further field.
    return Response.json({
      version,
      databaseId: database.uuid,
      endpoints: [{ url: this.#endpointOf(database), consistency: "strong" }],
      token: await this.#auth.issue(database),
      expiresAt: this.#expiryFor(request, remote).toISOString(),
    });
  }

  /** No slash at the end; the whole path, as bases have paths of their own. */
  #endpointOf(database: Database): string {
    const path = database.name === "" ? "/v2" : `/db/${database.name}/v2`;
    return this.#endpointBase + path;
  }

  #expiryFor(request: Request, remote: RemoteAddress): Date {
    const aheadMs = this.#isHammering(remote)
      ? TOKEN_VALID_MS
      : isDenoHandle(request.headers)
      ? DENO_EXPIRES_MS
      : OTHER_EXPIRES_MS;
    return new Date(this.#clock.wallMs() + aheadMs);
  }

  #isHammering(remote: RemoteAddress): boolean {
    const nowMs = this.#clock.monotonicMs();
    const key = `${remote.hostname} ${remote.port}`;
    const window = this.#windows.get(key);
    if (window === undefined || nowMs - window.startMs >= EXCHANGE_WINDOW_MS) {
      this.#windows.set(key, { startMs: nowMs, exchanges: 1 });
      return false;
    }
    window.exchanges += 1;
    return window.exchanges > EXCHANGES_PER_WINDOW_MAX;
  }
}

/**
 * Tells `Deno.openKv` from @deno/kv on Deno, which goes through `fetch` and so
 * sends accept-language, and would refresh before each call.
 */
function isDenoHandle(headers: Headers): boolean {
  return (headers.get("user-agent") ?? "").startsWith("Deno/") &&
    headers.get("accept-language") === null;
}

/** @throws {RequestInvalidError} Without a version in common. */
function chooseVersion(body: string): number {
  const offered = offeredVersions(body);
  const chosen = PROTOCOL_VERSIONS.find((version) => offered.includes(version));
  if (chosen === undefined) {
    throw new RequestInvalidError(
      "No protocol version in common: this server speaks KV Connect 2 and 3",
    );
  }
  return chosen;
}

/** A version-1 client sends no body. */
function offeredVersions(body: string): readonly unknown[] {
  if (body === "") return [1];
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch (cause) {
    throw new RequestInvalidError("Invalid metadata request: not JSON", {
      cause,
    });
  }
  const versions = typeof parsed === "object" && parsed !== null &&
      "supportedVersions" in parsed
    ? parsed.supportedVersions
    : undefined;
  if (!Array.isArray(versions)) {
    throw new RequestInvalidError(
      "Invalid metadata request: supportedVersions is not a list",
    );
  }
  return versions;
}
