import {
  type Command,
  InvalidArgumentError,
  Option,
  type OptionValues,
} from "@commander-js/extra-typings";
import { isNodeName } from "../base/identity.ts";
import { parseAddress } from "../base/address.ts";
import { parseDuration } from "./duration.ts";

const ADMIN_DEFAULT = "127.0.0.1:4514";
const URL_DEFAULT = "http://127.0.0.1:4512";

export function jsonOption() {
  return new Option("--json", "print JSON, one object a line");
}

export function configOption() {
  return new Option(
    "--config <FILE>",
    "JSON file with settings (env: SEALKV_CONFIG)",
  );
}

export function timeoutOption() {
  return new Option("--timeout <DURATION>", "longest wait for an answer")
    .default(10_000, "10s")
    .argParser(durationArgument);
}

export function urlOption() {
  return new Option("--url <URL>", "database, as http://HOST:PORT[/db/NAME]")
    .default(URL_DEFAULT)
    .env("SEALKV_URL")
    .argParser(urlArgument);
}

export function accessTokenFileOption() {
  return new Option(
    "--access-token-file <FILE>",
    "file with the access token (else SEALKV_ACCESS_TOKEN, " +
      "DENO_KV_ACCESS_TOKEN, or what a node of this user keeps)",
  ).env("SEALKV_ACCESS_TOKEN_FILE");
}

/** Adds what every command that asks the cluster takes. */
export function adminOptions<
  Args extends unknown[],
  Options extends OptionValues,
  Globals extends OptionValues,
>(command: Command<Args, Options, Globals>) {
  return command.addOption(adminOption())
    .addOption(adminTokenFileOption())
    .addOption(tlsCaOption())
    .addOption(timeoutOption());
}

function adminOption() {
  return new Option(
    "--admin <ADDRS>",
    "admin addresses of members, HOST:PORT or https://HOST:PORT, separated " +
      "by commas",
  ).default(ADMIN_DEFAULT).env("SEALKV_ADMIN");
}

export function adminTokenFileOption() {
  return new Option(
    "--admin-token-file <FILE>",
    "file with the admin token (else SEALKV_ADMIN_TOKEN, or what a node of " +
      "this user keeps)",
  ).env("SEALKV_ADMIN_TOKEN_FILE");
}

export function tlsCaOption() {
  return new Option(
    "--tls-ca <FILE>",
    "dial with TLS and trust these authorities too, PEM",
  ).env("SEALKV_TLS_CA");
}

/** An argument parser for a member's name. */
export function memberArgument(text: string): string {
  if (isNodeName(text)) return text;
  throw new InvalidArgumentError(
    "Write 1 to 63 of a-z, 0-9, dashes and dots.",
  );
}

/** An argument parser for an address that someone dials. */
export function addressArgument(text: string): string {
  const address = parseAddress(text);
  if (address !== null && address.port !== 0) return text;
  throw new InvalidArgumentError("Write HOST:PORT, as 10.0.0.4:4513.");
}

export function durationArgument(text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs !== null) return durationMs;
  throw new InvalidArgumentError("Write 500ms, 10s, 5m, 2h or 7d, up to 366d.");
}

/** An argument parser for a whole number of [min, max]. */
export function countArgument(
  min: number,
  max: number,
): (text: string) => number {
  return (text) => {
    const count = /^[0-9]{1,15}$/.test(text) ? Number(text) : NaN;
    if (count >= min && count <= max) return count;
    throw new InvalidArgumentError(`Write a whole number of ${min} to ${max}.`);
  };
}

function urlArgument(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (
    url !== null && /^https?:$/.test(url.protocol) && url.search === "" &&
    url.hash === "" && url.username === "" && url.password === "" &&
    /^(\/|\/db\/[A-Za-z0-9._-]{1,128})$/.test(url.pathname)
  ) {
    return url.pathname === "/" ? url.origin : url.origin + url.pathname;
  }
  throw new InvalidArgumentError(
    "Write http://HOST:PORT or http://HOST:PORT/db/NAME, NAME of 1 to 128 " +
      "letters, digits, dots, dashes and underscores.",
  );
}
