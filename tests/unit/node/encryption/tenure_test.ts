import assert from "node:assert/strict";
import { isBeforeMember } from "../../../../src/node/encryption/tenure.ts";

const DISK = new Uint8Array(16);
const JOINED = new Uint8Array(32);
const FOUNDED = new Uint8Array(32).fill(3);

const ROWS: [name: string, id: number, index: number, expected: boolean][] = [
  ["the entry before its own", 40, 39, true],
  ["its own entry", 40, 40, false],
  ["a later entry", 40, 41, false],
  ["the start of the log", 40, 0, true],
];

for (const [name, id, index, expected] of ROWS) {
  Deno.test(`isBeforeMember() of ${name}: ${expected}`, () => {
    const identity = { name: "n2", id, diskId: DISK };
    const joined = { ...identity, foundingDigest: JOINED };
    const founder = { ...identity, foundingDigest: FOUNDED };
    assert.equal(isBeforeMember(joined, index), expected);
    assert.equal(isBeforeMember(founder, index), false, "as old as the log");
  });
}
