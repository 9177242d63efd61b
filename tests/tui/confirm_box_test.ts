import { deepEqual, equal, match } from "node:assert/strict";
import { createElement } from "react";
import { ConfirmBox } from "../../tui/parts/confirm_box.tsx";
import { renderScreen, type TestScreen } from "./render.ts";

/** A box that wants "prod", and what it called back. */
async function withBox(
  work: (screen: TestScreen) => Promise<void>,
  isActive = true,
): Promise<readonly string[]> {
  const calls: string[] = [];
  const box = createElement(ConfirmBox, {
    prompt: "Type the name",
    word: "prod",
    width: 60,
    isActive,
    onConfirm: () => calls.push("confirmed"),
    onCancel: () => calls.push("cancelled"),
  });
  await using screen = await renderScreen(box);
  await work(screen);
  return calls;
}

Deno.test("the word and an Enter of its own confirm, once", async () => {
  const calls = await withBox(async (screen) => {
    for (const key of "prod") await screen.press(key);
    equal(screen.frame(), "Type the name: prod_");
    await screen.press("\r");
    await screen.press("\r");
  });
  deepEqual(calls, ["confirmed"]);
});

Deno.test("an Enter that came with other keys confirms nothing", async () => {
  const calls = await withBox(async (screen) => {
    await screen.press("prod\r");
    equal(screen.frame(), "Type the name: prod_");
    await screen.press("\r\r");
  });
  deepEqual(calls, []);
});

Deno.test("what is pasted is not taken", async () => {
  const calls = await withBox(async (screen) => {
    await screen.paste("prod");
    equal(screen.frame(), "Type the name: _");
    await screen.press("\r");
  });
  deepEqual(calls, []);
});

Deno.test("a wrong word is cleared, and that is said", async () => {
  const calls = await withBox(async (screen) => {
    await screen.press("Prod");
    await screen.press("\r");
    match(screen.frame(), /^Type the name: _\n"Prod" is not it: nothing/);
    await screen.press("prox");
    await screen.press("\x7f");
    await screen.press("d");
    await screen.press("\r");
  });
  deepEqual(calls, ["confirmed"]);
});

Deno.test("Ctrl-U clears the line, Esc goes back", async () => {
  const calls = await withBox(async (screen) => {
    await screen.press("pro");
    await screen.press("\x15");
    equal(screen.frame(), "Type the name: _");
    await screen.press("\x1b");
    await screen.press("prod");
    await screen.press("\r");
  });
  deepEqual(calls, ["cancelled"]);
});

Deno.test("a box that is not active takes no keys", async () => {
  const calls = await withBox(async (screen) => {
    await screen.press("prod");
    await screen.press("\r");
    equal(screen.frame(), "Type the name: _");
  }, false);
  deepEqual(calls, []);
});
