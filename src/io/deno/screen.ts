import process from "node:process";
import type { ScreenBreak, ScreenPort } from "../screen.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** What a write to a terminal says that nobody holds any more. */
const GONE = new Set(["EPIPE", "EIO"]);

/** The terminal of this process, and what can take it away. */
export function denoScreen(): ScreenPort {
  return {
    isTerminal: Deno.stdin.isTerminal() && Deno.stdout.isTerminal() &&
      canPlaceCursor(),
    canStop: Deno.build.os !== "windows",
    hold,
    stop: () => Deno.kill(Deno.pid, "SIGSTOP"),
  };
}

/**
 * Sets what React, ink and chalk read once, while they load: call it before
 * the import.
 *
 * Without NODE_ENV, React and ink load different builds of themselves and
 * nothing is drawn. Without a level in FORCE_COLOR, chalk overlooks NO_COLOR
 * (its issue 547) and asks for much that a binary may not read.
 */
export function prepareScreen(): void {
  Deno.env.set("NODE_ENV", "production");
  Deno.env.set("FORCE_COLOR", wantsColor() ? "1" : "0");
  // Ink would look for a debugger on a port of this machine.
  Deno.env.delete("DEV");
}

function wantsColor(): boolean {
  const force = Deno.env.get("FORCE_COLOR") ?? "";
  return (Deno.env.get("NO_COLOR") ?? "") === "" &&
    force !== "0" && force !== "false";
}

function canPlaceCursor(): boolean {
  const terminal = Deno.env.get("TERM") ?? "";
  if (terminal === "dumb") return false;
  return terminal !== "" || Deno.build.os === "windows";
}

function hold(onBreak: (cause: ScreenBreak) => void) {
  const onSignal = () => onBreak({ kind: "signal" });
  const onExit = () => onBreak({ kind: "exit" });
  const onError = (error: unknown) =>
    onBreak(isGone(error) ? { kind: "gone" } : { kind: "error", error });
  const onEvent = (event: Event) => {
    event.preventDefault();
    if (event instanceof ErrorEvent) onError(event.error);
    if (event instanceof PromiseRejectionEvent) onError(event.reason);
  };
  // Not Deno's own listeners: ink's look whether they are the only ones, and
  // end the process if they are.
  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.stdout.on("error", onError);
  globalThis.addEventListener("error", onEvent);
  globalThis.addEventListener("unhandledrejection", onEvent);
  globalThis.addEventListener("unload", onExit);
  const size = followSize();
  return {
    release(): void {
      size.cancel();
      for (const signal of SIGNALS) process.off(signal, onSignal);
      process.stdout.off("error", onError);
      globalThis.removeEventListener("error", onEvent);
      globalThis.removeEventListener("unhandledrejection", onEvent);
      globalThis.removeEventListener("unload", onExit);
    },
  };
}

/** Deno 2.5 does not tell Node's stdout that the terminal was resized. */
function followSize() {
  if (Deno.build.os === "windows") return { cancel() {} };
  const onResize = () => void process.stdout.emit("resize");
  Deno.addSignalListener("SIGWINCH", onResize);
  return {
    cancel: () => Deno.removeSignalListener("SIGWINCH", onResize),
  };
}

function isGone(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return typeof code === "string" && GONE.has(code) ||
    error instanceof Deno.errors.BrokenPipe;
}
