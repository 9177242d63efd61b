const holes: unknown[] = [1, , undefined, 3];
holes.length = 6;
const rangeError = new RangeError("far", { cause: new Error("near") });

/** Values of every type that Deno KV holds. */
export const VALUES: readonly [name: string, value: unknown][] = [
  ["null", null],
  ["true", true],
  ["a number", 1.5],
  ["-0", -0],
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
  ["text", "naïve \u0000 \ud800 😀"],
  ["undefined", undefined],
  ["a bigint", -(2n ** 200n)],
  ["a u64", new Deno.KvU64(2n ** 64n - 1n)],
  ["bytes", Uint8Array.from({ length: 300 }, (_, i) => i)],
  ["no bytes", new Uint8Array(0)],
  ["a date", new Date(1)],
  ["no date", new Date(NaN)],
  ["a map", new Map<unknown, unknown>([[{ a: 1n }, new Set([1])], [null, 2]])],
  ["a set", new Set([1, "1", undefined])],
  ["a pattern", /a[/]b\n/giu],
  ["an error", rangeError],
  ["an array with holes", holes],
  ["an array buffer", new Uint8Array([1, 2, 3]).buffer],
  ["floats", new Float64Array([1.5, -0, NaN])],
  ["a part of integers", new Int16Array([1, 2, 3, 4]).subarray(1, 3)],
  ["bigints", new BigUint64Array([2n ** 64n - 1n])],
  ["a data view", new DataView(new Uint8Array([9, 8, 7]).buffer, 1)],
  ["clamped bytes", new Uint8ClampedArray([1, 255])],
  ["an object", { a: [1, { b: undefined }], $c: 1, d: {} }],
  ["a look-alike", { $bigint: "1" }],
  ["a nested look-alike", { $object: { $u64: 1 } }],
  ["an unknown look-alike", { $x: 1 }],
  ["an own __proto__", JSON.parse('{"__proto__":{"a":1}}')],
];
