import assert from "node:assert/strict";
import {
  formatAddress,
  isLoopback,
  parseAddress,
} from "../../../src/base/address.ts";

const GOOD: [text: string, hostname: string, port: number][] = [
  ["127.0.0.1:0", "127.0.0.1", 0],
  ["n1.example.org:65535", "n1.example.org", 65_535],
  ["[::1]:4512", "::1", 4_512],
];
for (const [text, hostname, port] of GOOD) {
  Deno.test(`parseAddress() reads ${text}`, () => {
    const address = parseAddress(text);
    assert.deepEqual(address, { hostname, port });
    assert.equal(formatAddress(address!), text);
  });
}

const BAD = ["", "4512", ":4512", "host:", "host:65536", "::1:4512", "a b:1"]
  .concat(["host:-1", "host:1x", "[host]:1", `${"a".repeat(254)}:1`, "h:1\n"]);
for (const text of BAD) {
  Deno.test(`parseAddress() refuses ${JSON.stringify(text)}`, () => {
    assert.equal(parseAddress(text), null);
  });
}

Deno.test("isLoopback() knows what leaves the machine", () => {
  const inside = ["127.0.0.1", "127.9.9.9", "::1", "localhost"];
  const outside = ["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example.org", "h"];
  assert.deepEqual(inside.filter(isLoopback), inside);
  assert.deepEqual(outside.filter(isLoopback), []);
});
