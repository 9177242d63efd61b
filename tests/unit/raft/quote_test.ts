import { strict as assert } from "node:assert";
import { utf8 } from "../../../src/base/bytes.ts";
import { quoteBytes } from "../../../src/raft/quote.ts";

Deno.test("quoteBytes() keeps printable text and escapes the rest", () => {
  const cases: [Uint8Array, string][] = [
    [utf8(""), `""`],
    [utf8("foo bar"), `"foo bar"`],
    [utf8(`say "a\\b"`), `"say \\"a\\\\b\\""`],
    [utf8("\n\r\t\v\f\b\x07"), `"\\n\\r\\t\\v\\f\\b\\a"`],
    [utf8("\x00\x1b\x7f"), `"\\x00\\x1b\\x7f"`],
    [utf8("grüße 世界 🦕"), `"grüße 世界 🦕"`],
    [utf8("\u00a0\u200b\ufeff"), `"\\u00a0\\u200b\\ufeff"`],
    [utf8("\u{e0001}"), `"\\U000e0001"`],
    [new Uint8Array([0xff, 0x41, 0x80]), `"\\xffA\\x80"`],
    [new Uint8Array([0xe4, 0xb8]), `"\\xe4\\xb8"`],
    [new Uint8Array([0xc3, 0x28]), `"\\xc3("`],
  ];
  for (const [bytes, want] of cases) assert.equal(quoteBytes(bytes), want);
});
