import { deepEqual } from "node:assert/strict";
import { Text } from "ink";
import { createElement } from "react";
import type { KeyPress } from "../../tui/keys.ts";
import { useKeys } from "../../tui/use_keys.ts";
import { renderScreen } from "./render.ts";

/** A screen that keeps what is pressed. */
async function keysOf(work: (press: Press) => Promise<void>, columns = 80) {
  const presses: KeyPress[] = [];
  function Keys() {
    useKeys((press) => presses.push(press));
    return createElement(Text, null, "keys");
  }
  await using screen = await renderScreen(createElement(Keys), {
    columns,
    rows: 24,
  });
  await work({
    press: (keys) => screen.press(keys),
    paste: (text) => screen.paste(text),
  });
  return presses.map(({ key, isBurst }) => isBurst ? `${key}*` : key);
}

interface Press {
  press(keys: string): Promise<void>;
  paste(text: string): Promise<void>;
}

Deno.test("keys have names", async () => {
  const sent = "\r|\t|\x1b[Z|\x1b[A|\x1b[B|\x1b[C|\x1b[D|\x1b[5~|\x1b[6~|" +
    "\x1b[H|\x1b[F|\x7f|\x08|\x1b[3~|\x03|\x1a|\x1b|a|A| |é";
  const keys = await keysOf(async ({ press }) => {
    for (const key of sent.split("|")) await press(key);
  });
  const names = "Enter Tab Shift-Tab Up Down Right Left PageUp PageDown " +
    "Home End Backspace Backspace Delete Ctrl-C Ctrl-Z Escape a A";
  deepEqual(keys, [...names.split(" "), " ", "é"]);
});

Deno.test("keys of one read come one by one, as bursts", async () => {
  const keys = await keysOf(async ({ press }) => {
    await press("\t\t");
    await press("jj");
    await press("no\r");
    await press("\r");
  });
  deepEqual(keys, [
    ...["Tab*", "Tab*", "j*", "j*", "n*", "o*", "Enter*", "Enter"],
  ]);
});

Deno.test("Escape and another key at once are both", async () => {
  const keys = await keysOf(async ({ press }) => {
    for (const key of ["q", "?", "é", " ", "\r", "\x7f", "\x1b"]) {
      await press(`\x1b${key}`);
    }
  });
  const after = ["q", "?", "é", " ", "Enter", "Backspace", "Escape"];
  deepEqual(keys, after.flatMap((key) => ["Escape*", `${key}*`]));
});

Deno.test("an Enter behind other keys of its read is of the burst", async () => {
  const keys = await keysOf(({ press }) => press("no\x7f\x7f\x1b[A\r"));
  deepEqual(keys.at(-1), "Enter*");
});

Deno.test("what is pasted is no keys", async () => {
  const keys = await keysOf(async ({ paste, press }) => {
    await paste("prod\r");
    await press("q");
  });
  deepEqual(keys, ["q"]);
});

Deno.test("nothing but Ctrl-C reaches a screen that is not shown", async () => {
  const keys = await keysOf(async ({ press }) => {
    for (const key of ["q", "\r", "\x03"]) await press(key);
  }, 59);
  deepEqual(keys, ["Ctrl-C"]);
});
