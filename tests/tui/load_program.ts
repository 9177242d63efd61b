import { prepareScreen } from "../../src/io/deno/screen.ts";

// As the commands do: React must not be loaded before.
prepareScreen();
const { createElement } = await import("react");
const { Line } = await import("../../tui/parts/line.tsx");
const { renderScreen } = await import("./render.ts");
await import("../../tui/main.tsx");

const spans = [{ text: "a first frame", tone: "bad" as const }];
const line = createElement(Line, { spans, width: 20 });
await using screen = await renderScreen(line);
const { frame, raw } = { frame: screen.frame(), raw: screen.raw() };
const said = JSON.stringify({ frame, isColored: raw.includes("\x1b[31m") });
Deno.stdout.writeSync(new TextEncoder().encode(said));
