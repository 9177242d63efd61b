import type { Command } from "@commander-js/extra-typings";
import { VERSION } from "../base/version.ts";
import { jsonOption } from "./options.ts";
import type { Services } from "./services.ts";

/** Adds `version`. */
export function addVersion(program: Command, services: Services): void {
  program.command("version")
    .description("print the version of this program and of its runtime")
    .addOption(jsonOption())
    .action(({ json }) => {
      const { deno, v8 } = Deno.version;
      const { target } = Deno.build;
      const version = { sealkv: VERSION, deno, v8, target };
      services.terminal.out.write(
        json
          ? `${JSON.stringify(version)}\n`
          : `sealkv ${VERSION} (deno ${deno}, v8 ${v8}, ${target})\n`,
      );
    });
}
