import { EventEmitter } from "node:events";
import process from "node:process";
import { setImmediate } from "node:timers";
import { stripVTControlCharacters } from "node:util";
import { type Instance, render, type RenderOptions } from "ink";
import { createElement, type ReactNode } from "react";
import { type Look, LookContext } from "../../tui/look.ts";
import type { Size } from "../../tui/size.ts";

const WAIT_MS = 5_000;
/** React and ink do the rest of their work in turns after this one. */
const TURNS = 4;

/** A screen under test; `unmount` it, or use `await using`. */
export class TestScreen implements AsyncDisposable {
  readonly #stdout: FakeStdout;
  readonly #stdin = new FakeStdin();
  readonly #instance: Instance;
  readonly #look: Look;

  constructor(node: ReactNode, size: Size, isUnicode: boolean) {
    this.#stdout = new FakeStdout(size);
    this.#look = { isUnicode, isColored: false };
    this.#instance = render(this.#wrap(node), {
      stdout: this.#stdout,
      stdin: this.#stdin,
      debug: true,
      interactive: true,
      patchConsole: false,
      exitOnCtrlC: false,
    } as unknown as RenderOptions);
  }

  /** The frame on the screen, without colours and blanks at ends of lines. */
  frame(): string {
    return this.#stdout.frames.at(-1) ?? "";
  }

  frames(): readonly string[] {
    return this.#stdout.frames;
  }

  /** The latest frame as it was written, colours included. */
  raw(): string {
    return this.#stdout.raw;
  }

  /** Sends `keys` in one read, as a terminal does: "\r", "\x1b[A", "abc". */
  async press(keys: string): Promise<void> {
    this.#stdin.send(keys);
    // A lone Esc is known by what does not follow it.
    if (keys.endsWith("\x1b")) await new Promise((go) => setTimeout(go, 40));
    await settle();
  }

  /** Sends `text` as a terminal that knows what is pasted. */
  async paste(text: string): Promise<void> {
    await this.press(`\x1b[200~${text}\x1b[201~`);
  }

  async resize(size: Size): Promise<void> {
    Object.assign(this.#stdout, size);
    this.#stdout.emit("resize");
    await settle();
  }

  async rerender(node: ReactNode): Promise<void> {
    this.#instance.rerender(this.#wrap(node));
    await settle();
  }

  /** Waits for a frame that has `part`. @throws {Error} After 5 seconds. */
  async until(part: string | RegExp): Promise<string> {
    const isThere = () =>
      typeof part === "string"
        ? this.frame().includes(part)
        : part.test(this.frame());
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => isThere() && resolve();
    const timer = setTimeout(resolve, WAIT_MS);
    this.#stdout.on("frame", look);
    look();
    await promise;
    clearTimeout(timer);
    this.#stdout.off("frame", look);
    if (isThere()) return this.frame();
    throw new Error(`waited in vain for ${part} in:\n${this.frame()}`);
  }

  /** What the screen ended with. */
  ended(): Promise<unknown> {
    return this.#instance.waitUntilExit();
  }

  async unmount(): Promise<void> {
    this.#instance.unmount();
    await settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unmount();
  }

  #wrap(node: ReactNode) {
    return createElement(LookContext.Provider, { value: this.#look }, node);
  }
}

/** Draws `node` on a terminal that is none. */
export async function renderScreen(
  node: ReactNode,
  { columns = 120, rows = 34, isUnicode = false }: Partial<Size> & {
    readonly isUnicode?: boolean;
  } = {},
): Promise<TestScreen> {
  const screen = new TestScreen(node, { columns, rows }, isUnicode);
  await settle();
  return screen;
}

/** Lets what is ready run, timers excepted. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

class FakeStdout extends EventEmitter {
  readonly isTTY = true;
  readonly frames: string[] = [];
  raw = "";
  columns: number;
  rows: number;

  constructor({ columns, rows }: Size) {
    super();
    this.columns = columns;
    this.rows = rows;
  }

  write(text: string, done?: () => void): boolean {
    const plain = stripVTControlCharacters(text).replace(/ +$/gm, "")
      .replace(/\n+$/, "");
    // Modes of the terminal are no frames.
    if (plain !== "") {
      this.raw = text;
      this.frames.push(plain);
      this.emit("frame");
    }
    if (done !== undefined) process.nextTick(done);
    return true;
  }
}

class FakeStdin extends EventEmitter {
  readonly isTTY = true;
  #pending: string | null = null;

  send(text: string): void {
    this.#pending = (this.#pending ?? "") + text;
    this.emit("readable");
  }

  read(): string | null {
    const text = this.#pending;
    this.#pending = null;
    return text;
  }

  setEncoding(): void {}
  setRawMode(): void {}
  ref(): void {}
  unref(): void {}
}
