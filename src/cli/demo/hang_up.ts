/** Tells when the terminal goes away, as a window that is closed. */
export function onHangUp(): {
  readonly hangUp: Promise<"stopped">;
  cancel(): void;
} {
  const { promise, resolve } = Promise.withResolvers<"stopped">();
  const listener = () => resolve("stopped");
  Deno.addSignalListener("SIGHUP", listener);
  return {
    hangUp: promise,
    cancel: () => Deno.removeSignalListener("SIGHUP", listener),
  };
}
