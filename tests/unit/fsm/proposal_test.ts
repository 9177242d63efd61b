import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { fromHex, toHex } from "../../../src/base/bytes.ts";
import { CommandMalformedError } from "../../../src/fsm/errors.ts";
import { decodeProposal, encodeProposal } from "../../../src/fsm/proposal.ts";

const CASES: [proposalId: number, payload: number[], hex: string][] = [
  [0, [], "010000000000000000"],
  [258, [7, 8], "0100000000000001020708"],
  [2 ** 53 - 1, [1], "01001fffffffffffff01"],
];

for (const [proposalId, payload, hex] of CASES) {
  Deno.test(`encodeProposal() writes ${proposalId} as ${hex}, read back`, () => {
    const bytes = encodeProposal(proposalId, Uint8Array.from(payload));
    assert.equal(toHex(bytes), hex);
    const proposal = decodeProposal(bytes);
    assert.equal(proposal.proposalId, proposalId);
    assert.deepEqual([...proposal.payload], payload);
  });
}

Deno.test("encodeProposal() asserts an id below 2^53", () => {
  const payload = new Uint8Array(0);
  assert.throws(() => encodeProposal(2 ** 53, payload), InvariantError);
  assert.throws(() => encodeProposal(-1, payload), InvariantError);
});

const REFUSED: [what: string, hex: string][] = [
  ["nothing", ""],
  ["8 bytes", "0100000000000000"],
  ["another format", "020000000000000000"],
  ["an id past 2^53", "010020000000000000"],
];

for (const [what, hex] of REFUSED) {
  Deno.test(`decodeProposal() refuses ${what}`, () => {
    const bytes = fromHex(hex);
    assert.ok(bytes !== null);
    assert.throws(() => decodeProposal(bytes), CommandMalformedError);
  });
}
