import assert from "node:assert/strict";
import fc from "fast-check";
import {
  decodePacket,
  encodePacket,
  type Packet,
  VERDICTS,
} from "../../src/node/packet.ts";

const RUNS = { numRuns: 5_000 };
const safe = fc.maxSafeNat();
const place = {
  boot: safe,
  term: safe,
  sequence: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
};
const PLAIN = { noNullPrototype: true } as const;

const packets: fc.Arbitrary<Packet> = fc.oneof(
  fc.record({
    kind: fc.constant("forward" as const),
    ...place,
    proposalId: safe,
    payload: fc.uint8Array({ maxLength: 200 }),
  }, PLAIN),
  fc.record({
    kind: fc.constant("verdict" as const),
    ...place,
    verdict: fc.constantFrom(...VERDICTS),
  }, PLAIN),
  fc.record({
    kind: fc.constant("state" as const),
    applied: safe,
    commit: safe,
    isReady: fc.boolean(),
    phase: fc.constantFrom(0 as const, 1 as const, 2 as const),
  }, PLAIN),
  fc.record({
    kind: fc.constant("extra" as const),
    topic: fc.nat(255),
    body: fc.uint8Array({ maxLength: 200 }),
  }, PLAIN),
);

Deno.test("decodePacket() reads every packet that encodePacket() writes", () => {
  fc.assert(
    fc.property(packets, (packet) => {
      assert.deepEqual(decodePacket(encodePacket(packet)), packet);
    }),
    RUNS,
  );
});

/** One change to bytes: of a bit, of their length. */
const damages = fc.record({
  bit: fc.nat(),
  cut: fc.nat(3),
  more: fc.uint8Array({ maxLength: 3 }),
});

Deno.test("decodePacket() never throws, and knows one form of each packet", () => {
  const damaged = fc.tuple(packets, damages).map(([packet, damage]) => {
    const encoded = encodePacket(packet);
    const at = damage.bit % (encoded.length * 8);
    encoded[at >> 3]! ^= 1 << (at & 7);
    const kept = encoded.subarray(0, encoded.length - damage.cut);
    return Uint8Array.of(...kept, ...damage.more);
  });
  const noise = fc.tuple(fc.nat(5), fc.uint8Array({ maxLength: 60 }))
    .map(([kind, rest]) => Uint8Array.of(kind, ...rest));
  fc.assert(
    fc.property(fc.oneof(damaged, noise), (bytes) => {
      const packet = decodePacket(bytes);
      if (packet !== null) assert.deepEqual(encodePacket(packet), bytes);
    }),
    RUNS,
  );
});
