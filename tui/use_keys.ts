import { useInput, usePaste } from "ink";
import { useRef } from "react";
import { type KeyPress, pressesOf } from "./keys.ts";
import { isTooSmall, useSize } from "./size.ts";

/**
 * Calls `onPress` once for each key, while `isActive`.
 *
 * Several keys of one read come one by one, as bursts. What a terminal says is
 * pasted never comes: nobody pastes keys on purpose. On a terminal that is too
 * small to show the screen nothing comes but Ctrl-C and Ctrl-Z: nobody sees what it does.
 */
export function useKeys(
  onPress: (press: KeyPress) => void,
  { isActive = true }: { readonly isActive?: boolean } = {},
): void {
  const isLater = useRef(false);
  const isHidden = isTooSmall(useSize());
  usePaste(ignore, { isActive });
  useInput((input, key) => {
    if (key.eventType === "release") return;
    const presses = pressesOf(input, key);
    // All events of a read come in one turn, before any microtask.
    const isBurst = isLater.current;
    isLater.current = true;
    queueMicrotask(() => {
      isLater.current = false;
    });
    for (const press of presses) {
      if (isHidden && press.key !== "Ctrl-C" && press.key !== "Ctrl-Z") {
        continue;
      }
      onPress(isBurst ? { ...press, isBurst } : press);
    }
  }, { isActive });
}

function ignore(): void {}
