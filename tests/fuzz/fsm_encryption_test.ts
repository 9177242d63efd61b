/*
 * Goal: no bytes of an encryption entry or of the encryption state do anything
 * but decode or be refused by name; what decodes has one form, is decided
 * about, and costs no more memory than its length allows.
 * Method: bytes from nothing, and valid ones with bytes changed, cut, added or
 * put in another's place.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { toHex } from "../../src/base/bytes.ts";
import { decideEncryption } from "../../src/fsm/encryption.ts";
import {
  decodeEncryptionState,
  encodeEncryptionState,
  ENCRYPTION_STATE_BYTES_MAX,
} from "../../src/fsm/encryption_codec.ts";
import { checkEncryptionState } from "../../src/fsm/encryption_invariants.ts";
import {
  decodeEncryption,
  encodeEncryption,
} from "../../src/fsm/encryption_payload.ts";
import {
  CommandMalformedError,
  CommandUnknownError,
} from "../../src/fsm/errors.ts";
import { type EncryptionState, NO_ENCRYPTION } from "../../src/fsm/types.ts";
import { encryptionChange, wish } from "../unit/fsm/encryption_arbitraries.ts";
import { founded } from "../unit/fsm/encryption_fixtures.ts";

const RUNS = { numRuns: 4_000 };
const TAGS = [[3], [4], ...[1, 2, 3, 4, 5, 6, 7].map((sub) => [5, sub])];
/** Of a body that is refused: what it may cost beside what it is long. */
const HEAP_BYTES_MAX = 64 * 2 ** 20;

const tagged = fc.tuple(
  fc.constantFrom(...TAGS),
  fc.uint8Array({ maxLength: 60 }),
).map(([head, rest]) => Uint8Array.of(...head, ...rest));

/** Reachable by entries. */
const state: fc.Arbitrary<EncryptionState> = fc.array(wish, {
  maxLength: 25,
  size: "max",
}).map((wishes) => {
  let reached = NO_ENCRYPTION;
  wishes.forEach((wished, i) => {
    const change = wished(reached);
    const decision = decideEncryption(founded(reached), i + 1, change);
    if (decision.kind === "taken") reached = decision.next;
  });
  return reached;
});

function damage(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc.tuple(
    valid,
    fc.nat(),
    fc.nat(255),
    fc.constantFrom("change", "cut", "insert", "append", "remove", "double"),
  ).map(([bytes, place, byte, how]) => {
    const at = place % Math.max(bytes.length, 1);
    const [before, after] = [bytes.slice(0, at), bytes.slice(at)];
    switch (how) {
      case "change":
        return Uint8Array.from(bytes, (old, i) => i === at ? byte : old);
      case "cut":
        return before;
      case "insert":
        return Uint8Array.of(...before, byte, ...after);
      case "remove":
        return Uint8Array.of(...before, ...after.slice(1));
      case "double":
        return Uint8Array.of(...bytes, ...after);
      default:
        return Uint8Array.of(...bytes, byte);
    }
  });
}

/** What `decode` gives; `null` when it refuses by name. */
function decoded<T>(decode: () => T): T | null {
  try {
    return decode();
  } catch (error) {
    assert.ok(
      error instanceof CommandMalformedError ||
        error instanceof CommandUnknownError,
      String(error),
    );
    return null;
  }
}

Deno.test("decodeEncryption() reads back what was written", () => {
  fc.assert(
    fc.property(encryptionChange, (change) => {
      const bytes = encodeEncryption(change);
      assert.deepEqual(decodeEncryption(bytes), change);
      assert.equal(toHex(encodeEncryption(change)), toHex(bytes));
    }),
    RUNS,
  );
});

Deno.test("decodeEncryption() refuses by name or takes the one form", () => {
  const damaged = damage(encryptionChange.map(encodeEncryption))
    .map((bytes) =>
      Uint8Array.of(Math.min(bytes[0] ?? 3, 5), ...bytes.slice(1))
    )
    .filter(([tag]) => tag !== undefined && tag >= 3);
  let taken = 0;
  fc.assert(
    fc.property(fc.oneof(tagged, damaged), state, (bytes, state) => {
      const change = decoded(() => decodeEncryption(bytes));
      if (change === null) return;
      taken += 1;
      assert.equal(toHex(encodeEncryption(change)), toHex(bytes));
      const decision = decideEncryption(founded(state), 99, change);
      if (decision.kind === "taken") {
        assert.equal(checkEncryptionState(decision.next), null);
      }
    }),
    RUNS,
  );
  assert.ok(taken > RUNS.numRuns / 20, `only ${taken} were changes`);
});

Deno.test("decodeEncryptionState() refuses by name or takes the one form", () => {
  const damaged = damage(state.map(encodeEncryptionState));
  let taken = 0;
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), damaged), (bytes) => {
      const read = decoded(() => decodeEncryptionState(bytes));
      if (read === null) return;
      taken += 1;
      assert.equal(checkEncryptionState(read), null);
      assert.equal(toHex(encodeEncryptionState(read)), toHex(bytes));
    }),
    RUNS,
  );
  assert.ok(taken > RUNS.numRuns / 20, `only ${taken} were states`);
});

const DEEP = new Uint8Array(ENCRYPTION_STATE_BYTES_MAX).fill(0x0b);

/** The most items, or the deepest nesting, that as many bytes can ask for. */
const GREEDY: readonly (readonly [what: string, unit: readonly number[]])[] = [
  ["empty keys", [0x12, 0]],
  ["empty writers", [0x52, 0]],
  ["empty first fields", [0x0a, 0]],
  ["tombstones", [0x18, 1]],
  ["unknown fields", [0x60, 1]],
  ["open groups", [0x0b]],
  ["a length past the end", [0x12, 0xff, 0xff, 0xff, 0xff, 0x07]],
];

for (const [what, unit] of GREEDY) {
  Deno.test(`decoding ${what} costs no more than its length allows`, () => {
    const body = DEEP.map((_, i) => unit[i % unit.length] as number);
    const payload = Uint8Array.of(5, 2, ...body.subarray(0, 100_000));
    const before = Deno.memoryUsage().heapUsed;
    assert.equal(decoded(() => decodeEncryptionState(body)), null);
    assert.equal(decoded(() => decodeEncryption(payload)), null);
    const used = Deno.memoryUsage().heapUsed - before;
    assert.ok(used < HEAP_BYTES_MAX, `${used} bytes`);
  });
}
