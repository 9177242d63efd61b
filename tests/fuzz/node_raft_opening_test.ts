/*
 * Goal: whatever bytes a committed entry has above the raft cutover, opening it
 * gives what was sealed or RaftUnwrapFailedError; nothing else is thrown, and
 * no changed bit goes unnoticed.
 * Method: any bytes, and sealed payloads with bits flipped, bytes cut off and
 * added. More of it: FUZZ_RUNS=1000000.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../../src/base/bytes.ts";
import { isRaftMarker } from "../../src/fsm/encryption_payload.ts";
import { RaftUnwrapFailedError } from "../../src/node/raft_sealing/errors.ts";
import { RaftOpener } from "../../src/node/raft_sealing/opener.ts";
import {
  BOOTSTRAP,
  ENABLE_RAFT,
  ENABLE_STORAGE,
  founded,
  RAFT,
  stateAfter,
} from "../unit/fsm/encryption_fixtures.ts";
import { dekOf, sealed } from "../unit/node/raft_sealing/sealed_entries.ts";

const RUNS = { numRuns: Number(Deno.env.get("FUZZ_RUNS") ?? 1_000) };
const FSM = founded(stateAfter(BOOTSTRAP, ENABLE_STORAGE, ENABLE_RAFT));
const DEK = await dekOf(RAFT);
const opener = new RaftOpener({ name: "n1", custody: { dek: () => DEK } });

/** What it opens to; `null` when it is refused by name. */
async function opened(bytes: Uint8Array): Promise<Uint8Array | null> {
  try {
    return await opener.open(FSM, 9, new Uint8Array(bytes));
  } catch (error) {
    assert.ok(error instanceof RaftUnwrapFailedError, `${error}`);
    assert.equal(error.index, 9);
    return null;
  }
}

const payloads = fc.uint8Array({ maxLength: 300 });
const sessions = fc.record({
  node16: fc.integer({ min: 0, max: 0xffff }),
  epoch: fc.integer({ min: 1, max: 0xffff }),
});

Deno.test("RaftOpener opens no bytes that nobody sealed", async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.uint8Array({ minLength: 44, maxLength: 200 }).map((rest) =>
      concatBytes(Uint8Array.of(1, 0, 0, 0, 0, RAFT), rest)
    ),
  );
  await fc.assert(
    fc.asyncProperty(bytes, async (given) => {
      assert.equal(await opened(given), null);
    }),
    RUNS,
  );
});

Deno.test("RaftOpener opens what was sealed in any session, and notices every change", async () => {
  await fc.assert(
    fc.asyncProperty(
      ...[payloads, sessions, fc.nat()] as const,
      async (payload, session, at) => {
        const given = new Uint8Array(payload);
        const envelope = await sealed(RAFT, given, session);
        assert.deepEqual(await opened(envelope), given);
        assert.ok(opener.isSealed(FSM, 4, envelope));
        assert.ok(!isRaftMarker(envelope));
        const flipped = envelope.slice();
        flipped[at % envelope.length]! ^= 1 << (at % 8);
        assert.equal(await opened(flipped), null);
        assert.equal(await opened(envelope.slice(0, -1)), null);
        assert.equal(
          await opened(concatBytes(envelope, Uint8Array.of(at % 256))),
          null,
        );
      },
    ),
    { numRuns: Math.ceil(RUNS.numRuns / 4) },
  );
});
