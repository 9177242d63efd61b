/*
 * Goal: whatever bytes a decoder is given, it takes their one form or refuses
 * them by name, in time and heap that are in proportion to them.
 * Method: a few of the inputs of `deno task fuzz`, which has more of them
 * (RESULTS.md); and decoders that are broken on purpose.
 */
import assert from "node:assert/strict";
import { type Bytes, utf8 } from "../../src/base/bytes.ts";
import { DECODERS } from "./decoders/all.ts";
import { type Decoder, nothing, only, type Verdict } from "./run/decoder.ts";
import { fuzz, FuzzFailure, warmUp } from "./run/fuzz.ts";

const RUNS = { runs: 1_000, seed: 1 };

for (const decoder of DECODERS) {
  Deno.test(`${decoder.name}: any input`, async () => {
    await warmUp(decoder);
    const { taken, refused } = await fuzz(decoder, RUNS);
    assert.equal(taken + refused, RUNS.runs);
    assert.ok(taken > 0 && refused > 0, `${taken} taken, ${refused} refused`);
  });
}

Deno.test("every decoder has a name of its own", () => {
  const names = DECODERS.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
});

class OtherError extends TypeError {}

function brokenBy(decode: (bytes: Bytes) => Verdict): Decoder {
  return {
    ...{ name: "broken", bytesMax: 100_000, valid: [utf8("abc")] },
    ...{ heapPerByte: 8, decode, refuses: only(TypeError) },
  };
}

/** Once in a while, so that it has to be met. */
function isMet(bytes: Bytes): boolean {
  return bytes.length > 3 && bytes[0] === 0x61;
}

function spin(ms: number): void {
  for (const since = performance.now(); performance.now() - since < ms;);
}

const kept: unknown[] = [];
const BROKEN: [what: string, decode: (bytes: Bytes) => Verdict][] = [
  ["throws another error", (bytes) => {
    if (isMet(bytes)) throw new OtherError();
    throw new TypeError();
  }],
  ["takes two forms", (bytes) => isMet(bytes) ? bytes.subarray(1) : null],
  ["takes a length's word", (bytes) => {
    if (isMet(bytes)) kept.push(new Uint8Array(2 ** 24));
    return null;
  }],
  ["makes much of every byte", (bytes) => {
    if (bytes.length < 50_000) return null;
    kept.push(Array.from(bytes, (byte) => ({ byte, bytes: [byte, byte] })));
    return null;
  }],
  ["hangs", (bytes) => {
    if (isMet(bytes)) spin(130);
    return null;
  }],
];

for (const [what, decode] of BROKEN) {
  for (const isAsync of [false, true]) {
    const how = isAsync ? ", asynchronously" : "";
    Deno.test(`fuzz() finds a decoder that ${what}${how}`, async () => {
      const broken = brokenBy(decode);
      const decoder = isAsync
        ? { ...broken, decode: async (bytes: Bytes) => decode(bytes) }
        : broken;
      const runs = { runs: 20_000, seed: 3 };
      await assert.rejects(fuzz(decoder, runs), FuzzFailure);
      kept.length = 0;
    });
  }
}

Deno.test("a failure names the seed, the input and its number", async () => {
  const inputs = new Map<string, Bytes>();
  const decoder: Decoder = {
    ...brokenBy(() => null),
    decode: (bytes) => {
      if (isMet(bytes)) {
        inputs.set("met", bytes);
        throw new OtherError();
      }
      return null;
    },
    refuses: nothing,
  };
  const error = await fuzz(decoder, { runs: 20_000, seed: 3 }).then(
    () => assert.fail("it is found"),
    (error: Error) => error,
  );
  const at = Number(/--from (\d+) /.exec(error.message)?.[1]);
  assert.match(error.message, /--seed 3 /);
  const again = fuzz(decoder, { runs: 1, seed: 3, from: at });
  const [first] = [...inputs.values()];
  await assert.rejects(again, FuzzFailure);
  assert.deepEqual([...inputs.values()][0], first);
});
