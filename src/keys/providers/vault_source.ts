import { KEK_ID_BYTES_MAX } from "../../base/data_key.ts";
import { KekSourceInvalidError } from "../kek_errors.ts";
import { formatRemoteUri, parseRemoteUri, parseServer } from "./kek_uri.ts";

/** A key of a Vault's transit engine. */
export interface VaultKey {
  /** The URI in its one spelling, all defaults written out. */
  readonly id: string;
  /** Origin of the server. */
  readonly server: string;
  readonly mount: string;
  readonly key: string;
  /** `null` for the root namespace. */
  readonly namespace: string | null;
}

/** As Vault names keys: word characters, and `-` and `.` between them. */
const KEY = /^\w(?:[\w.-]{0,126}\w)?$/;
const PATH = /^\w[\w.-]*(?:\/\w[\w.-]*)*$/;
const MOUNT_DEFAULT = "transit";

/**
 * Reads `KEY?addr=https://HOST[:PORT][&mount=PATH][&namespace=PATH]`.
 *
 * @throws {KekSourceInvalidError}
 */
export function parseVaultUri(rest: string): VaultKey {
  const refuse = (rule: string) =>
    new KekSourceInvalidError("vault-transit", rule);
  const { key, options } = parseRemoteUri("vault-transit", rest, [
    "addr",
    "mount",
    "namespace",
  ]);
  if (!KEY.test(key)) throw refuse("it names no key of transit");
  const addr = options.get("addr");
  if (addr === undefined) throw refuse('it has no "addr"');
  const server = parseServer("vault-transit", "addr", addr);
  const path = (name: string) => {
    const text = options.get(name)?.replace(/^\/|\/$/g, "") ?? null;
    if (text !== null && !PATH.test(text)) throw refuse(`"${name}" is no path`);
    return text;
  };
  const mount = path("mount") ?? MOUNT_DEFAULT;
  const namespace = path("namespace");
  const id = formatRemoteUri("vault-transit", key, [
    ["addr", server],
    ["mount", mount],
    ["namespace", namespace],
  ]);
  if (id.length > KEK_ID_BYTES_MAX) {
    throw refuse(`it is longer than ${KEK_ID_BYTES_MAX} characters`);
  }
  return { id, server, mount, key, namespace };
}
