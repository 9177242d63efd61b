import { strict as assert } from "node:assert";
import fc from "fast-check";
import { equalBytes } from "../../src/base/bytes.ts";
import {
  type ConfChange,
  decodeConfChange,
  encodeConfChange,
} from "../../src/raft/conf_change.ts";
import { ConfChangeMalformedError } from "../../src/raft/errors.ts";
import { ENTRY_CONF_CHANGE_V2 } from "../../src/raft/types.ts";

const changes: fc.Arbitrary<ConfChange> = fc.record({
  transition: fc.constantFrom(0, 1, 2),
  changes: fc.array(
    fc.record({
      type: fc.constantFrom(0, 1, 2, 3),
      id: fc.maxSafeNat(),
    }, { noNullPrototype: true }),
    { maxLength: 64 },
  ),
  context: fc.uint8Array({ maxLength: 200 }),
});

Deno.test("decodeConfChange() reads back every change", () => {
  fc.assert(fc.property(changes, (change) => {
    const bytes = encodeConfChange(change);
    const read = decodeConfChange(ENTRY_CONF_CHANGE_V2, bytes);
    assert.equal(read.transition, change.transition);
    assert.deepEqual(read.changes, change.changes);
    assert.ok(equalBytes(read.context, change.context));
  }));
});

Deno.test("decodeConfChange() survives any bytes, and accepts one form", () => {
  const near = fc.tuple(fc.constantFrom(0, 1), fc.nat(4), fc.nat(4)).chain(
    (head) =>
      fc.uint8Array({ maxLength: 40 }).map((rest) => [...head, ...rest]),
  );
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 60 }), near)
    .map((list) => Uint8Array.from(list));
  fc.assert(
    fc.property(bytes, (given) => {
      try {
        const read = decodeConfChange(ENTRY_CONF_CHANGE_V2, given);
        assert.ok(equalBytes(encodeConfChange(read), given));
      } catch (error) {
        assert.ok(error instanceof ConfChangeMalformedError);
      }
    }),
    { numRuns: 1_000 },
  );
});
