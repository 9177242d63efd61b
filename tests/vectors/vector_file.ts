import { type Bytes, fromHex } from "../../src/base/bytes.ts";
import { present } from "../../src/base/assert.ts";

/** The cases of a file of `tests/fixtures/vectors`. */
export async function readVectors<Case>(
  name: string,
): Promise<readonly Case[]> {
  const path = new URL(`../fixtures/vectors/${name}.json`, import.meta.url);
  return JSON.parse(await Deno.readTextFile(path)).cases;
}

export function bytesOf(hex: string): Bytes {
  return present(fromHex(hex), "hex");
}
