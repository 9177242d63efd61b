import { NodeError } from "../../base/error.ts";
import { withDeadline } from "../deadline.ts";
import {
  DatabaseRefusedError,
  NoAnswerError,
  TokenRefusedError,
} from "../errors.ts";
import type { Services } from "../services.ts";
import { readAccessToken } from "../tokens.ts";

export interface ConnectionOptions {
  readonly url: string;
  readonly accessTokenFile?: string | undefined;
  /** Milliseconds for one answer. */
  readonly timeout: number;
}

/** An open database whose every call ends: with an answer or an error. */
export interface Database {
  readonly kv: Deno.Kv;
  /**
   * Waits for one answer.
   *
   * `action` names it in errors, as in "set the key".
   *
   * @throws {NoAnswerError} After the timeout.
   * @throws {DatabaseRefusedError} When the call fails.
   */
  answer<T>(action: string, call: Promise<T>): Promise<T>;
}

/**
 * Opens the database, hands it to `body` and closes it.
 *
 * The first request is our own: its status tells a wrong token from a node that
 * is not there, which Deno's client only tells in words that change.
 *
 * @throws {NoAnswerError | TokenRefusedError | DatabaseRefusedError}
 */
export async function withDatabase<T>(
  services: Services,
  options: ConnectionOptions,
  body: (database: Database) => Promise<T>,
): Promise<T> {
  const { url, timeout } = options;
  const { clock } = services;
  const token = await readAccessToken(services, options.accessTokenFile);
  const late = () => new NoAnswerError(url, `no answer came in ${timeout} ms`);
  const wait = <R>(call: Promise<R>) =>
    withDeadline(call, timeout, clock, late);
  const status = await wait(askMetadata(services, url, token.reveal()));
  if (status === 401 || status === 403) {
    throw new TokenRefusedError(url, token.source);
  }
  if (status !== 200) {
    throw new NoAnswerError(url, `it answers with status ${status}`);
  }
  const kv = await wait(services.openKv(url, token.reveal()));
  try {
    return await body({ kv, answer });
  } finally {
    kv.close();
  }

  async function answer<R>(action: string, call: Promise<R>): Promise<R> {
    try {
      return await wait(call);
    } catch (cause) {
      if (cause instanceof NodeError) throw cause;
      throw new DatabaseRefusedError(action, { cause });
    }
  }
}

/** The status of one metadata exchange. Source: kv-connect.md. */
async function askMetadata(
  services: Services,
  url: string,
  token: string,
): Promise<number> {
  const http = services.httpClient({});
  try {
    const response = await http.fetch(
      new Request(url, {
        method: "POST",
        headers: {
          "authorization": `Bearer ${token}`,
          "content-type": "application/json",
        },
        body: JSON.stringify({ supportedVersions: [1, 2, 3] }),
      }),
    );
    await response.body?.cancel();
    return response.status;
  } catch (cause) {
    throw new NoAnswerError(url, "nothing answers there", { cause });
  } finally {
    http.close();
  }
}
