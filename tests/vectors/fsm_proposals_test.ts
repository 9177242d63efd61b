import assert from "node:assert/strict";
import { fromHex, toHex } from "../../src/base/bytes.ts";
import {
  decodeEncryptionState,
  encodeEncryptionState,
} from "../../src/fsm/encryption_codec.ts";
import { decodeMemberContext } from "../../src/fsm/members.ts";
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
  /** Bytes as `{ "hex": … }`, node ids as `{ "u64": … }`, maps as pairs. */
  readonly payload: { readonly kind: string };
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
    // Entries of before there were members have none.
    const before = payload.kind === "cluster-init" ? { members: [] } : {};
    assert.deepEqual(
      plain(decodePayload(proposal.payload)),
      { ...before, ...payload },
    );
  });
}

Deno.test("decodeMemberContext() opens version 1's context", async () => {
  const path = new URL(
    "../fixtures/v1/fsm_member_context.hex",
    import.meta.url,
  );
  const bytes = fromHex((await Deno.readTextFile(path)).trim());
  assert.ok(bytes !== null);
  const member = {
    id: 2,
    name: "n2",
    peerAddress: "[fd00::2]:4701",
    clientAddress: "",
    adminAddress: "",
    diskId: null,
    protocolVersion: 0,
    promoteWhenCaughtUp: false,
  };
  assert.deepEqual(decodeMemberContext(bytes), [
    member,
    { ...member, id: 184_273, name: "n-9.eu", promoteWhenCaughtUp: true },
  ]);
});

Deno.test("decodeEncryptionState() opens version 1's state", async () => {
  const path = new URL(
    "../fixtures/v1/fsm_encryption_state.json",
    import.meta.url,
  );
  const { hex, state: expected } = JSON.parse(await Deno.readTextFile(path));
  const bytes = fromHex(hex);
  assert.ok(bytes !== null);
  const state = decodeEncryptionState(bytes);
  assert.deepEqual(plain(state), expected);
  // A store's row is under a MAC: its bytes must not become others.
  assert.equal(toHex(encodeEncryptionState(state)), hex);
});

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(
    value,
    (_, item) => {
      if (item instanceof Uint8Array) return { hex: toHex(item) };
      if (item instanceof Map || item instanceof Set) return [...item];
      return typeof item === "bigint"
        ? { u64: item.toString(16).padStart(16, "0") }
        : item;
    },
  ));
}
