/*
 * Goal: no bytes of a log entry do anything but decode or be refused by name,
 * and what decodes has one form.
 * Method: bytes from nothing, and payloads with bytes changed, cut or added.
 */
import { NO_ENCRYPTION, NO_ROLLOUT } from "../../src/fsm/types.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import { toHex } from "../../src/base/bytes.ts";
import { applyPayload, keysToRead } from "../../src/fsm/apply.ts";
import { encodeEncryption } from "../../src/fsm/encryption_payload.ts";
import {
  CommandMalformedError,
  CommandUnknownError,
} from "../../src/fsm/errors.ts";
import {
  decodePayload,
  encodeAnnouncement,
  encodeBatch,
  encodeClock,
  encodeClusterInit,
  type Payload,
} from "../../src/fsm/payload.ts";
import {
  decodeMemberContext,
  encodeMemberContext,
} from "../../src/fsm/members.ts";
import { decodeProposal, encodeProposal } from "../../src/fsm/proposal.ts";
import { encodeRollout } from "../../src/fsm/rollout_payload.ts";
import { RecordOverlay } from "../../src/fsm/record_view.ts";
import { memberList, payload as anyPayload } from "../unit/fsm/arbitraries.ts";

const RUNS = { numRuns: 5_000 };
const START = {
  clockMs: 0,
  clusterId: null,
  clusterName: "",
  databases: new Map<string, number>(),
  members: new Map(),
  encryption: NO_ENCRYPTION,
  rollout: NO_ROLLOUT,
};

const tagged = fc.tuple(
  fc.constantFrom(1, 1, 1, 2, 3, 4, 5, 6, 7, 8),
  fc.uint8Array({ maxLength: 60 }),
).map(([tag, rest]) => Uint8Array.of(tag, ...rest));

const damage = (valid: fc.Arbitrary<Uint8Array>) =>
  fc.tuple(
    valid,
    fc.nat(),
    fc.nat(255),
    fc.constantFrom("change", "cut", "insert", "append"),
  ).map(([bytes, place, byte, how]) => {
    const at = place % Math.max(bytes.length, 1);
    switch (how) {
      case "change":
        return Uint8Array.from(bytes, (old, i) => i === at ? byte : old);
      case "cut":
        return bytes.slice(0, at);
      case "insert":
        return Uint8Array.of(...bytes.slice(0, at), byte, ...bytes.slice(at));
      default:
        return Uint8Array.of(...bytes, byte);
    }
  });

Deno.test("decodePayload() reads back what was written, byte for byte", () => {
  fc.assert(
    fc.property(anyPayload, (payload) => {
      const bytes = encode(payload);
      const decoded = decodePayload(bytes);
      assert.deepEqual(decoded, payload);
      assert.equal(toHex(encode(decoded)), toHex(bytes));
    }),
    RUNS,
  );
});

Deno.test("decodePayload() refuses by name or takes the one form", () => {
  const damaged = damage(anyPayload.map(encode));
  const bytes = fc.oneof(fc.uint8Array(), tagged, damaged);
  fc.assert(
    fc.property(bytes, (bytes) => {
      let payload: Payload;
      try {
        payload = decodePayload(bytes);
      } catch (error) {
        assert.ok(
          error instanceof CommandMalformedError ||
            error instanceof CommandUnknownError,
          String(error),
        );
        return;
      }
      assert.equal(toHex(encode(payload)), toHex(bytes));
      keysToRead(START, payload);
      applyPayload(START, new RecordOverlay(), 1, payload);
    }),
    RUNS,
  );
});

Deno.test("decodeProposal() refuses by name or takes the one form", () => {
  const near = fc.uint8Array({ maxLength: 12 })
    .map((rest) => Uint8Array.of(1, 0, 0, ...rest));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), near), (bytes) => {
      try {
        const { proposalId, payload } = decodeProposal(bytes);
        assert.deepEqual(encodeProposal(proposalId, payload), bytes);
      } catch (error) {
        assert.ok(error instanceof CommandMalformedError, String(error));
      }
    }),
    RUNS,
  );
});

Deno.test("decodeMemberContext() refuses by name or takes the one form", () => {
  const damaged = damage(memberList.map(encodeMemberContext));
  let taken = 0;
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), damaged), (bytes) => {
      try {
        const members = decodeMemberContext(bytes);
        assert.equal(toHex(encodeMemberContext(members)), toHex(bytes));
        taken += 1;
      } catch (error) {
        assert.ok(error instanceof CommandMalformedError, String(error));
      }
    }),
    RUNS,
  );
  assert.ok(taken > 100, `only ${taken} were members`);
});

function encode(payload: Payload): Uint8Array {
  switch (payload.kind) {
    case "batch":
      return encodeBatch(payload.writes, payload.nowMs);
    case "clock":
      return encodeClock(payload.clockMs);
    case "cluster-init":
      return encodeClusterInit(
        payload.clusterId,
        payload.clusterName,
        payload.members,
      );
    case "announcement":
      return encodeAnnouncement(payload.member);
    case "encryption":
      return encodeEncryption(payload.change);
    case "rollout":
      return encodeRollout(payload.change);
  }
}
