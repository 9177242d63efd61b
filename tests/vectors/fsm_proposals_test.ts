import assert from "node:assert/strict";
import { fromHex, toHex } from "../../src/base/bytes.ts";
import { decodePayload } from "../../src/fsm/payload.ts";
import { decodeProposal } from "../../src/fsm/proposal.ts";

/*
 * Frozen: log entries as version 1 wrote them must decode to the same commands
 * for ever. Add cases; never change one.
 */
interface Case {
  readonly name: string;
  readonly proposalId: number;
  readonly hex: string;
  /** Bytes as `{ "hex": … }`. */
  readonly payload: unknown;
}

const cases: readonly Case[] = JSON.parse(
  await Deno.readTextFile(
    new URL("../fixtures/v1/fsm_proposals.json", import.meta.url),
  ),
);

for (const { name, proposalId, hex, payload } of cases) {
  Deno.test(`decodeProposal() opens version 1's ${name}`, () => {
    const bytes = fromHex(hex);
    assert.ok(bytes !== null);
    const proposal = decodeProposal(bytes);
    assert.equal(proposal.proposalId, proposalId);
    assert.deepEqual(plain(decodePayload(proposal.payload)), payload);
  });
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(
    value,
    (_, item) => item instanceof Uint8Array ? { hex: toHex(item) } : item,
  ));
}
