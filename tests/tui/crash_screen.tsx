import { Text } from "ink";
import { useEffect, useState } from "react";
import { openScreen, useEnd } from "../../tui/open_screen.tsx";
import { useKeys } from "../../tui/use_keys.ts";
import type { TuiWorld } from "../../tui/world.ts";

/** Shows what it was asked for, and breaks in the way that a key names. */
function CrashScreen() {
  const end = useEnd();
  const [last, setLast] = useState("");
  const [count, setCount] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setCount((count) => count + 1), 1_000);
    return () => clearInterval(timer);
  }, []);
  if (last === "r") throw new Error("broken render");
  useKeys(({ key }) => {
    setLast(key);
    switch (key) {
      case "q":
        return end({ exitCode: 0, report: ["the report"] });
      case "Ctrl-C":
        return end({ exitCode: 130, report: ["interrupted"] });
      case "t":
        return void setTimeout(() => {
          throw new Error("broken timer");
        });
      case "p":
        return void Promise.reject(new Error("broken promise"));
      case "k":
        throw new Error("broken key");
      case "x":
        Deno.exit(3);
    }
  });
  return <Text color="green">ready {last} ticks {count > 2 ? "on" : ""}</Text>;
}

export function openCrashScreen(world: TuiWorld) {
  return openScreen(world, <CrashScreen />);
}
