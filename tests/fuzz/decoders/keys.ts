import { equalBytes, utf8 } from "../../../src/base/bytes.ts";
import {
  KekMismatchError,
  SidecarMalformedError,
  SidecarTamperedError,
} from "../../../src/keys/errors.ts";
import {
  canonicalJson,
  JsonFault,
  parseJson,
  prettyJson,
} from "../../../src/keys/json.ts";
import { WrapRejectedError } from "../../../src/keys/kek_errors.ts";
import { openSidecar } from "../../../src/keys/open_sidecar.ts";
import { commandWords } from "../../../src/keys/providers/command_words.ts";
import {
  formatSidecar,
  parseSidecar,
  SIDECAR_BYTES_MAX,
  type SidecarContent,
  type SidecarFound,
} from "../../../src/keys/sidecar.ts";
import { sidecarPath } from "../../../src/keys/sidecar_file.ts";
import { DIR, founded } from "../../unit/keys/custody_harness.ts";
import {
  sampleContent,
  sampleKey,
  sampleShared,
} from "../../unit/keys/sample_keys.ts";
import { TestKek } from "../../unit/keys/test_kek.ts";
import { type Decoder, nothing, only, type Verdict } from "../run/decoder.ts";
import { textNear, textOf } from "../run/text.ts";
import { changedSidecar } from "./changed_sidecar.ts";

const KEK = await TestKek.of(1);
const PLACE = { path: "f", node: "n1", keks: [KEK] };

async function writtenText(): Promise<string> {
  const { disk } = await founded([KEK]);
  return textOf(disk.durableBytes(sidecarPath(DIR)) ?? new Uint8Array(0));
}

const WRITTEN = await writtenText();
const FOUND = parseSidecar("f", WRITTEN);
const SAMPLE = formatSidecar(sampleContent(), new Uint8Array(32));

/** What is longer is read once: it takes its time. */
const TWICE_BYTES_MAX = 65_536;

/** As many keys and wraps as there may be. */
const LONGEST = formatSidecar(longest(), new Uint8Array(32));

function longest(): SidecarContent {
  const wraps = Array.from({ length: 8 }, (_, i) => ({
    kek: `${i}`.padEnd(512, '"'),
    wrapped: new Uint8Array(1_024).fill(i),
  }));
  const base = sampleShared();
  const more = Array.from(
    { length: 125 },
    (_, i) => sampleKey(1_000 + i, "raft", { wraps }),
  );
  const keys = [...base.keys.values(), ...more];
  const shared = { ...base, keys: new Map(keys.map((key) => [key.id, key])) };
  const epochs = new Map(keys.map(({ id }) => [id, 1]));
  return { ...sampleContent(), shared, epochs };
}

/** Another text may say the same: then it opens, and only then. */
function isSame(found: SidecarFound): boolean {
  return found.text === FOUND.text && equalBytes(found.mac, FOUND.mac);
}

const changed = changedSidecar(FOUND);
const edits = textNear([WRITTEN, SAMPLE]);
const ownEdits = textNear([WRITTEN]);

export const KEY_DECODERS: readonly Decoder[] = [
  {
    name: "keys JSON",
    bytesMax: SIDECAR_BYTES_MAX,
    valid: [WRITTEN, '{"a":[1,{"b":"c"}],"d":-7}', "[]"].map(utf8),
    near: textNear([WRITTEN, '{"a":[1,{"b":"c"}],"d":-7}']),
    heapPerByte: 96,
    decode: (bytes) => {
      const text = textOf(bytes);
      const value = parseJson(text);
      if (bytes.length > TWICE_BYTES_MAX) return "taken";
      const again = canonicalJson(value);
      if (canonicalJson(parseJson(prettyJson(value))) !== again) {
        throw new Error("its two texts differ");
      }
      JSON.parse(text);
      return "taken";
    },
    refuses: only(JsonFault),
  },
  {
    name: "keys sidecar parse",
    bytesMax: SIDECAR_BYTES_MAX,
    valid: [WRITTEN, SAMPLE, WRITTEN, SAMPLE].map(utf8),
    near: (rng) => rng.once(20_000) ? utf8(LONGEST) : edits(rng),
    heapPerByte: 96,
    decode: (bytes) => {
      const found = parseSidecar("f", textOf(bytes));
      if (bytes.length > TWICE_BYTES_MAX) return "taken";
      const again = parseSidecar("f", formatSidecar(found, found.mac));
      if (again.text !== found.text || !equalBytes(again.mac, found.mac)) {
        throw new Error("it reads another one back");
      }
      return "taken";
    },
    refuses: (error) =>
      error instanceof SidecarMalformedError && error.message.length < 600,
  },
  {
    name: "keys sidecar open",
    bytesMax: SIDECAR_BYTES_MAX,
    valid: [utf8(WRITTEN)],
    near: (rng) => rng.once(5) ? ownEdits(rng) : changed(rng),
    heapPerByte: 96,
    decode: async (bytes): Promise<Verdict> => {
      const found = parseSidecar("f", textOf(bytes));
      await openSidecar(PLACE, found);
      if (!isSame(found)) throw new Error("a changed sidecar opens");
      return "taken";
    },
    refuses: only(
      SidecarMalformedError,
      SidecarTamperedError,
      KekMismatchError,
      WrapRejectedError,
    ),
  },
  {
    name: "keys exec command",
    bytesMax: 8_192,
    valid: ["op read 'a b'", 'age -d "x \\" y" \\z', "''", "a ''"].map(utf8),
    near: textNear(["op read 'a b'", 'age -d "x \\" y" \\z'], [
      ..."'\"\\ \t\n\0a$*~",
    ]),
    heapPerByte: 96,
    decode: (bytes) => {
      const words = commandWords(textOf(bytes));
      if (words === null) return null;
      const again = commandWords(
        words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" "),
      );
      if (JSON.stringify(again) !== JSON.stringify(words)) {
        throw new Error(`words ${JSON.stringify(words)} do not come back`);
      }
      return "taken";
    },
    refuses: nothing,
  },
];
