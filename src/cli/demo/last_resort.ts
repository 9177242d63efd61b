/** Everything that must not outlive this program. */
export interface Leftovers {
  kill(): void;
  /** `null` to keep it. */
  readonly dir: string | null;
}

const REMOVE_TRIES = 20;

/**
 * Ends processes and removes a directory where nothing can be waited for any
 * more: the program leaves at once, or by an error that nobody caught. Only a
 * `kill -9` gets past it.
 */
export function armLastResort(leftovers: Leftovers): { cancel(): void } {
  const act = () => {
    leftovers.kill();
    if (leftovers.dir !== null) removeAtLast(leftovers.dir);
  };
  const names = ["unload", "error", "unhandledrejection"] as const;
  for (const name of names) addEventListener(name, act);
  return {
    cancel() {
      for (const name of names) removeEventListener(name, act);
    },
  };
}

/** Processes that were killed just now may still make files. */
function removeAtLast(dir: string): void {
  for (let i = 0; i < REMOVE_TRIES; i += 1) {
    try {
      Deno.removeSync(dir, { recursive: true });
      return;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
    }
  }
}
