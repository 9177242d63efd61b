import type { Command } from "@commander-js/extra-typings";
import type { MemberEncryption } from "../../admin/client.ts";
import { present } from "../../base/assert.ts";
import { type AdminOptions, withAdmin } from "../admin_connection.ts";
import { unknownMember } from "../member_choice.ts";
import { adminOptions, jsonOption } from "../options.ts";
import type { Services } from "../services.ts";
import { wantsColor } from "../terminal.ts";
import { agreementOf } from "./agreement.ts";
import {
  encryptionJson,
  encryptionScreen,
  type EncryptionView,
} from "./status_view.ts";

const HELP = `
Asks every member at its own address and says whether all agree. What stands in
the way of a change on a member is listed with its remedy.`;

interface StatusOptions extends AdminOptions {
  readonly node?: string | undefined;
  readonly json?: true | undefined;
}

/** Adds `encryption status`. */
export function addEncryptionStatus(
  encryption: Command,
  services: Services,
): void {
  const command = encryption.command("status")
    .description("show the keys, who may use them, and what is in the way")
    .option("--node <NAME>", "show what this member says, and its row only")
    .addHelpText("after", HELP);
  adminOptions(command).addOption(jsonOption())
    .action((options) =>
      withAdmin(services, options, async (client) => {
        const answers = await client.encryptionOfMembers();
        const view = viewOf(answers, options);
        const { out, env } = services.terminal;
        out.write(
          options.json
            ? encryptionJson(view)
            : encryptionScreen(view, wantsColor(out, env)),
        );
      })
    );
}

/** @throws {NodeError} Why the member that is to be shown does not answer. */
function viewOf(
  answers: readonly MemberEncryption[],
  { node }: StatusOptions,
): EncryptionView {
  const members = node === undefined
    ? answers
    : answers.filter(({ member }) => member === node);
  if (members.length === 0 && node !== undefined) {
    throw unknownMember(node, answers.map(({ member }) => member));
  }
  const heard = members.find(({ encryption }) => encryption !== null);
  if (heard !== undefined && heard.encryption !== null) {
    const agreement = agreementOf(answers);
    return { shown: heard.encryption, members, agreement };
  }
  throw present(members[0], "someone answered").failure;
}
