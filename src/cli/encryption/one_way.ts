import {
  type Command,
  InvalidArgumentError,
  Option,
} from "@commander-js/extra-typings";
import type { AdminClient } from "../../admin/client.ts";
import { SEALING_PURPOSES, type SealingPurpose } from "../../base/data_key.ts";
import { withAdmin } from "../admin_connection.ts";
import { UsageError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit_code.ts";
import {
  acceptShortDwellOption,
  confirmOption,
  dryRunOption,
  longWaitOption,
  planOption,
} from "../member/change_options.ts";
import { adminOptions, jsonOption } from "../options.ts";
import type { Services } from "../services.ts";
import { acceptedRisks, type RiskFlags } from "./accepted_risks.ts";
import { carryOut, carryOutBy, type Step } from "./carry_out.ts";

const SEAL_HELP = `
Every member reads all its records first and must find none in cleartext; one
that does, or that cannot be asked, is named and nothing changes.

ONE-WAY. From then on a record in cleartext is damage: reading it fails, and
the member that has it must be rebuilt from the others.`;

const RETIRE_HELP = `
Every member must prove that nothing on it needs the key any more: no record, no
log entry, no checkpoint. One that cannot is named with what would make it true;
there is no flag against that. For an older storage key: rewrite first.

ONE-WAY. The key is forgotten by every member, its id is never used again.
Backups and copied disks of before have it wrapped inside: its KEK opens them.`;

/** Adds `encryption seal-cleartext`. */
export function addSealCleartext(
  parent: Command,
  services: Services,
  finish: (code: ExitCode) => void,
): void {
  const command = parent.command("seal-cleartext")
    .description("let no record be cleartext any more (one-way)")
    .addOption(confirmOption())
    .addOption(acceptShortDwellOption())
    .addOption(longWaitOption())
    .addOption(dryRunOption())
    .addOption(planOption())
    .addHelpText("after", SEAL_HELP);
  adminOptions(command).addOption(jsonOption())
    .action(async (options) => {
      const isInterrupted = await carryOut(services, options, {
        name: "seal-cleartext",
        ...acceptedRisks(options),
        oneWay: [
          "one-way: a record in cleartext is damage from then on, and reading it fails",
        ],
        isLong: true,
        ask: (client, terms) => client.sealCleartext(terms),
      });
      if (isInterrupted) finish(EXIT.interrupted);
    });
}

/** Adds `encryption retire-dek`. */
export function addRetireDek(
  parent: Command,
  services: Services,
  finish: (code: ExitCode) => void,
): void {
  const keyOption = new Option(
    "--key-id <ID>",
    "the key, as `sealkv encryption status` shows it",
  ).argParser(keyIdArgument);
  const replacedOption = new Option(
    "--replaced <PURPOSE>",
    "instead: every key for this purpose that another one has replaced",
  ).choices(SEALING_PURPOSES).conflicts(["keyId", "plan"]);
  const command = parent.command("retire-dek")
    .description("forget a data key that nothing needs any more (one-way)")
    .addOption(keyOption)
    .addOption(replacedOption)
    .addOption(confirmOption())
    .addOption(acceptShortDwellOption())
    .addOption(longWaitOption())
    .addOption(dryRunOption())
    .addOption(planOption())
    .addHelpText("after", RETIRE_HELP);
  adminOptions(command).addOption(jsonOption())
    .action((options) =>
      withAdmin(services, options, async (client) => {
        for (const keyId of await keysToRetire(services, client, options)) {
          const step = retirement(keyId, options);
          const isInterrupted = await carryOutBy(services, client, {
            options,
            step,
          });
          if (isInterrupted) return finish(EXIT.interrupted);
        }
      })
    );
}

interface RetireFlags extends RiskFlags {
  readonly keyId?: number | undefined;
  readonly replaced?: SealingPurpose | undefined;
  readonly json?: true | undefined;
}

/** @throws {UsageError} When no flag tells it. */
async function keysToRetire(
  { terminal }: Services,
  client: AdminClient,
  { keyId, replaced, json }: RetireFlags,
): Promise<readonly number[]> {
  if (keyId !== undefined) return [keyId];
  if (replaced === undefined) {
    throw new UsageError(
      "Cannot tell which key to retire as none of --key-id and --replaced is given",
      "Give --key-id ID, as `sealkv encryption status` shows it, or --replaced storage",
    );
  }
  const { keys } = await client.encryptionState();
  const ids = keys.filter(({ isActive, purpose }) =>
    !isActive && purpose === replaced
  ).map(({ id }) => id);
  if (ids.length === 0) {
    terminal.out.write(
      json === true
        ? `${JSON.stringify({ change: "retire-dek", changed: false })}\n`
        : `nothing to do: no ${replaced} key is replaced and not retired\n`,
    );
  }
  return ids;
}

function retirement(keyId: number, options: RetireFlags): Step {
  return {
    name: "retire-dek",
    facts: { keyId },
    ...acceptedRisks(options),
    oneWay: [
      `one-way: nothing opens what key ${keyId} sealed any more, but for backups and copied disks, which carry it wrapped`,
    ],
    isLong: true,
    ask: (client, terms) => client.retireDek(keyId, terms),
  };
}

const KEY_ID_MAX = 2 ** 32 - 1;

function keyIdArgument(text: string): number {
  const id = /^[0-9]{1,10}$/.test(text) ? Number(text) : 0;
  if (id >= 1 && id <= KEY_ID_MAX) return id;
  throw new InvalidArgumentError("Write the id of a key, as 305419896.");
}
