import { rejects } from "node:assert/strict";
import { UsageError } from "../../../src/cli/errors.ts";
import { loadScreens } from "../../../src/cli/screens.ts";
import type { Services } from "../../../src/cli/services.ts";

Deno.test("without a terminal no screen opens: what to do instead is said", async () => {
  const services = { screen: { isTerminal: false } } as unknown as Services;
  const instead = "Use `sealkv status --watch`";
  await rejects(
    loadScreens(services, { what: "the dashboard", instead }),
    (error) =>
      error instanceof UsageError && error.remedy === instead &&
      error.message.startsWith("Cannot open the dashboard as "),
  );
});
