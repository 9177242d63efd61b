import assert from "node:assert/strict";
import { parseUuid, uuidText } from "../../../src/base/uuid.ts";

const BYTES = Uint8Array.from({ length: 16 }, (_, i) => i * 17);
const TEXT = "00112233-4455-6677-8899-aabbccddeeff";

Deno.test("uuidText() and parseUuid() mirror each other", () => {
  assert.equal(uuidText(BYTES), TEXT);
  assert.deepEqual(parseUuid(TEXT), BYTES);
});

Deno.test("parseUuid() takes the one form that uuidText() writes", () => {
  const others = [
    "",
    TEXT.toUpperCase(),
    TEXT.replaceAll("-", ""),
    `{${TEXT}}`,
    `${TEXT}0`,
    TEXT.replace("0", "g"),
    TEXT.replace("33-", "3-3"),
  ];
  for (const text of others) assert.equal(parseUuid(text), null, text);
});
