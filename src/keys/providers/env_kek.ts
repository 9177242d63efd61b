import { fromBase64, toBase64 } from "../../base/base64.ts";
import { type Bytes, fromHex } from "../../base/bytes.ts";
import { KekSourceInvalidError, KekUnavailableError } from "../kek_errors.ts";
import type { KekPorts } from "../kek_ports.ts";
import type { Kek } from "../port.ts";
import { KEK_BYTES, LocalKek } from "./local_kek.ts";

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/**
 * `env:NAME`: the KEK as 64 hex digits or as base64 with padding. For tests:
 * other programs of the same user can see an environment.
 *
 * Read once: the variable is gone afterwards, whatever it held.
 *
 * @throws {KekSourceInvalidError | KekUnavailableError}
 */
export async function openEnvKek(name: string, ports: KekPorts): Promise<Kek> {
  if (!VARIABLE.test(name)) {
    throw new KekSourceInvalidError("env", "it names no variable");
  }
  const text = take(name, ports);
  if (text === undefined || text === "") {
    throw new KekUnavailableError(
      `env:${name}`,
      "missing",
      "the variable is not set; it is read once and then forgotten",
      "Set it to 64 hex digits or base64 of 32 bytes and start the node again",
    );
  }
  const raw = parseKey(text);
  if (raw !== null) return await LocalKek.of(raw, ports.random);
  throw new KekUnavailableError(
    `env:${name}`,
    "malformed",
    `the variable must hold ${KEK_BYTES} bytes as 64 hex digits or as base64`,
    "Set it anew and start the node again",
  );
}

function take(name: string, { process }: KekPorts): string | undefined {
  try {
    const text = process.env(name);
    if (text !== undefined) process.deleteEnv(name);
    return text;
  } catch (cause) {
    throw new KekUnavailableError(
      `env:${name}`,
      "denied",
      "this build may not read the variable",
      "Give it a name that starts with SEALKV_",
      { cause },
    );
  }
}

function parseKey(text: string): Bytes | null {
  const trimmed = text.trim();
  const raw = fromHex(trimmed) ?? fromBase64(trimmed);
  if (raw === null || raw.length !== KEK_BYTES) return null;
  const isHex = trimmed.length === 2 * KEK_BYTES;
  return isHex || toBase64(raw) === trimmed ? raw : null;
}
