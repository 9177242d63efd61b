import { ok } from "node:assert/strict";
import { Buffer } from "node:buffer";

/** Decimal lists and the like are searched for their first bytes. */
const HEAD_BYTES = 6;

/** The ways in which a secret could be printed. */
export function formsOf(secret: Uint8Array | string): readonly string[] {
  const bytes = Buffer.from(secret);
  const base64 = bytes.toString("base64");
  const head = [...bytes.subarray(0, HEAD_BYTES)];
  return [
    ...(typeof secret === "string" ? [secret] : []),
    bytes.toString("latin1"),
    bytes.toString("utf8"),
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
    base64.replace(/=+$/, ""),
    bytes.toString("base64url"),
    head.join(", "),
    head.join(","),
  ];
}

/** Everything that printing, logging or reporting `value` could show. */
function shownBy(value: unknown): string {
  const seen = new Set<unknown>();
  const parts: string[] = [];
  const add = (item: unknown) => {
    if (seen.has(item)) return;
    seen.add(item);
    parts.push(
      Deno.inspect(item, {
        depth: 100,
        strAbbreviateSize: 1_000_000,
        iterableLimit: 10_000,
        getters: true,
        showProxy: true,
      }),
      String(item),
      JSON.stringify(item) ?? "",
    );
    if (typeof item !== "object" || item === null) return;
    for (const name of Reflect.ownKeys(item)) add(Reflect.get(item, name));
    if (item instanceof Error) add(item.cause);
  };
  add(value);
  // Numbers of an inspected array may be padded and on several lines.
  return parts.join("\n").replaceAll(/\s*,\s+/g, ", ");
}

/** @throws When any form of a secret shows. */
export function assertShowsNone(
  value: unknown,
  secrets: readonly (Uint8Array | string)[],
): void {
  const shown = shownBy(value);
  for (const secret of secrets) {
    for (const form of formsOf(secret)) {
      ok(!shown.includes(form), `a secret shows in: ${shown}`);
    }
  }
}
