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
    onBreak,
    onExit,
    stop: () => Deno.kill(Deno.pid, "SIGSTOP"),
  };
}

/**
 * Sets what React, ink and chalk read once, while they load: call it before
 * the import. Without it React and ink load different builds of themselves and
 * nothing is drawn.
 */
export function prepareScreen(): void {
  Deno.env.set("NODE_ENV", "production");
  // Chalk does not know NO_COLOR. Source: no-color.org, chalk issue 547.
  if ((Deno.env.get("NO_COLOR") ?? "") !== "") Deno.env.set("FORCE_COLOR", "0");
}

function canPlaceCursor(): boolean {
  const terminal = Deno.env.get("TERM") ?? "";
  if (terminal === "dumb") return false;
  return terminal !== "" || Deno.build.os === "windows";
}

function onBreak(handler: (cause: ScreenBreak) => void) {
  const onSignal = () => handler({ kind: "signal" });
  const onError = (error: unknown) =>
    handler(isGone(error) ? { kind: "gone" } : { kind: "error", error });
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
  return {
    cancel(): void {
      for (const signal of SIGNALS) process.off(signal, onSignal);
      process.stdout.off("error", onError);
      globalThis.removeEventListener("error", onEvent);
      globalThis.removeEventListener("unhandledrejection", onEvent);
    },
  };
}

function onExit(handler: () => void) {
  globalThis.addEventListener("unload", handler);
  return {
    cancel: () => globalThis.removeEventListener("unload", handler),
  };
}

function isGone(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return typeof code === "string" && GONE.has(code) ||
    error instanceof Deno.errors.BrokenPipe;
}
