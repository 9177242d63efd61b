import { type Bytes, utf8 } from "../../../src/base/bytes.ts";
import type { Rng } from "./rng.ts";

/** Pieces that JSON and its readers trip over. */
const JSON_PIECES = [
  ...'{}[]:,"\\ \n\t01-.e',
  ...["null", "true", "1e999", "-0", "9007199254740993", "0x1", "\u0000"],
  ...["__proto__", '"__proto__":{},', '"constructor":1,', "\\u0031", "\\ud800"],
  ...[
    "[[[[[[[[[[",
    "]]]]]]]]]]",
    '{"a":{"a":{"a":',
    "\uFEFF",
    "ä",
    "\u{1F600}",
  ],
];

/** Bytes of a text after some edits with `pieces` and with parts of itself. */
export function textNear(
  texts: readonly string[],
  pieces: readonly string[] = JSON_PIECES,
): (rng: Rng) => Bytes {
  return (rng) => {
    let text = rng.pick(texts);
    for (let edits = 1 + rng.below(3); edits > 0; edits -= 1) {
      const at = rng.below(text.length + 1);
      const cut = rng.once(2) ? rng.below(2) : rng.below(40);
      const from = rng.below(text.length + 1);
      const piece = rng.once(3)
        ? text.slice(from, from + rng.below(60))
        : rng.pick(pieces);
      text = text.slice(0, at) + piece + text.slice(at + cut);
    }
    return utf8(text);
  };
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Bytes as a text, whatever they are. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
