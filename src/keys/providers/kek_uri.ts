import { isLoopback } from "../../base/address.ts";
import { type KekScheme, KekSourceInvalidError } from "../kek_errors.ts";

/** What follows the scheme of a remote KEK: `KEY?NAME=VALUE&…`. */
export interface RemoteUri {
  readonly key: string;
  readonly options: ReadonlyMap<string, string>;
}

/**
 * Splits the URI of a remote KEK. Values stay out of errors: one may be a
 * token that was put into the wrong place.
 *
 * @throws {KekSourceInvalidError} Unknown, repeated or empty options.
 */
export function parseRemoteUri(
  scheme: KekScheme,
  rest: string,
  known: readonly string[],
): RemoteUri {
  const cut = rest.indexOf("?");
  const key = cut < 0 ? rest : rest.slice(0, cut);
  const options = new Map<string, string>();
  const query = new URLSearchParams(cut < 0 ? "" : rest.slice(cut + 1));
  for (const [name, value] of query) {
    const refuse = (rule: string) => new KekSourceInvalidError(scheme, rule);
    if (!known.includes(name)) {
      throw refuse(
        `it takes no options but ${known.join(", ")}; secrets come from the ` +
          "environment",
      );
    }
    if (options.has(name)) throw refuse(`"${name}" is given twice`);
    if (value === "") throw refuse(`"${name}" is empty`);
    options.set(name, value);
  }
  return { key, options };
}

/**
 * The origin of a server: `https://HOST[:PORT]`, or `http:` on this machine.
 *
 * Requests carry data keys in the clear, inside of TLS alone: there is no
 * option that allows cleartext to another machine.
 *
 * @throws {KekSourceInvalidError}
 */
export function parseServer(
  scheme: KekScheme,
  option: string,
  text: string,
): string {
  const refuse = (rule: string) =>
    new KekSourceInvalidError(scheme, `"${option}" ${rule}`);
  if (
    !/^https?:\/\/[A-Za-z0-9.:[\]_-]+\/?$/.test(text) || !URL.canParse(text)
  ) {
    throw refuse("must be https://HOST or https://HOST:PORT and no more");
  }
  const { protocol, hostname, origin } = new URL(text);
  if (protocol === "https:" || isLoopback(hostname.replace(/^\[|\]$/g, ""))) {
    return origin;
  }
  throw refuse("must be https: for another machine");
}

/** The URI in one spelling: options in the order given, the unset left out. */
export function formatRemoteUri(
  scheme: KekScheme,
  key: string,
  options: readonly (readonly [name: string, value: string | null])[],
): string {
  const query = options.flatMap(([name, value]) =>
    value === null ? [] : [`${name}=${value}`]
  ).join("&");
  return `${scheme}:${key}?${query}`;
}
