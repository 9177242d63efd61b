import { strict as assert } from "node:assert";
import { makeConfChangeHandler } from "./conf_change_harness.ts";
import { readCorpus } from "./corpus.ts";
import {
  describeMismatch,
  type Directive,
  parseTranscript,
  runTranscript,
} from "./datadriven.ts";
import { makeInteractionHandler } from "./interaction_harness.ts";
import { handleQuorum } from "./quorum_harness.ts";

const files = readCorpus(".txt");

Deno.test({
  name: "transcripts are present",
  ignore: files.length === 0,
  fn: () => {},
});

for (const { path, text } of files) {
  Deno.test(`transcript ${path} is reproduced`, () => {
    const mismatches = runTranscript(text, pickHandler(text));
    const first = mismatches[0];
    assert.equal(
      mismatches.length,
      0,
      first === undefined ? "" : describeMismatch(path, first),
    );
  });
}

/** Picks the harness by the first command of a file. */
function pickHandler(text: string): (directive: Directive) => string {
  switch (parseTranscript(text)[0]?.command) {
    case "committed":
    case "vote":
      return handleQuorum;
    case "simple":
    case "enter-joint":
    case "leave-joint":
      return makeConfChangeHandler();
    default:
      return makeInteractionHandler();
  }
}
