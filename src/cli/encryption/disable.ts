import type { Command } from "@commander-js/extra-typings";
import { DisableRefusedError } from "../../app/refuse_disable.ts";
import { jsonOption } from "../options.ts";

const HELP = `
There is no way back within a cluster: what its keys have sealed stays
sealed. The way out is a dump and a reload:

  1. start a new cluster without --encryption-enabled
  2. sealkv kv export --url OLD > data.jsonl
  3. sealkv kv import data.jsonl --url NEW
  4. point the clients at the new one, then stop this one`;

/** Adds `encryption disable`, which explains why it is none. */
export function addDisable(encryption: Command): void {
  encryption.command("disable")
    .description("say why encryption cannot be taken back, and what to do")
    .addOption(jsonOption())
    .addHelpText("after", HELP)
    .action(() => {
      throw new DisableRefusedError();
    });
}
