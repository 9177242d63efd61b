import { type Command, Option } from "@commander-js/extra-typings";
import type { AdminClient, MemberEncryption } from "../../admin/client.ts";
import { present } from "../../base/assert.ts";
import { type AdminOptions, withAdmin } from "../admin_connection.ts";
import { EXIT, type ExitCode } from "../exit_code.ts";
import { unknownMember } from "../member_choice.ts";
import { adminOptions, durationArgument, jsonOption } from "../options.ts";
import type { Services } from "../services.ts";
import { wantsColor } from "../terminal.ts";
import { agreementOf } from "./agreement.ts";
import { rewriteTasks } from "./rewrite_look.ts";
import {
  encryptionJson,
  encryptionScreen,
  type EncryptionView,
} from "./status_view.ts";
import { mustBeCounted, verifyRecords } from "./verify.ts";

const HELP = `
Asks every member at its own address and says whether all agree. What stands in
the way of a change on a member is listed with its remedy.

--verify has every member, through the leader, read all its records and count
them by how they are kept. It takes as long as the members read; each goes on
serving. It ends with exit code 7 when a member did not count all of them.`;

interface StatusOptions extends AdminOptions {
  readonly node?: string | undefined;
  readonly verify?: true | undefined;
  readonly wait?: number | undefined;
  readonly json?: true | undefined;
}

/** Adds `encryption status`. */
export function addEncryptionStatus(
  encryption: Command,
  services: Services,
  finish: (code: ExitCode) => void,
): void {
  const command = encryption.command("status")
    .description("show the keys, who may use them, and what is in the way")
    .option("--node <NAME>", "show what this member says, and its row only")
    .option("--verify", "count the records of every member (else of --node)")
    .addOption(
      new Option("--wait <DURATION>", "longest wait for --verify (else none)")
        .argParser(durationArgument),
    )
    .addHelpText("after", HELP);
  adminOptions(command).addOption(jsonOption())
    .action((options) =>
      withAdmin(services, options, async (client) => {
        const isInterrupted = await showStatus(services, client, options);
        if (isInterrupted) finish(EXIT.interrupted);
      })
    );
}

async function showStatus(
  services: Services,
  client: AdminClient,
  options: StatusOptions,
): Promise<boolean> {
  const { node, verify, wait = null, json } = options;
  const view = {
    ...viewOf(await client.encryptionOfMembers(), options),
    ...await rolloutView(client, node),
  };
  const scans = verify === true
    ? await verifyRecords(services, client, {
      members: node === undefined ? [] : [node],
      waitMs: wait,
      isJson: json === true,
    })
    : null;
  if (verify === true && scans === null) return true;
  const { out, env } = services.terminal;
  const whole = { ...view, scans };
  out.write(
    json === true
      ? encryptionJson(whole)
      : encryptionScreen(whole, wantsColor(out, env)),
  );
  if (scans !== null) mustBeCounted(scans);
  return false;
}

/** The job is of the cluster; how far members are the leader alone knows. */
async function rolloutView(
  client: AdminClient,
  node: string | undefined,
): Promise<Pick<EncryptionView, "rollout" | "tasks">> {
  const rollout = await client.rollout();
  const tasks = rollout.rewrite === null
    ? []
    : await rewriteTasks(client, node);
  return { rollout, tasks };
}

/** @throws {NodeError} Why the member that is to be shown does not answer. */
function viewOf(
  answers: readonly MemberEncryption[],
  { node }: StatusOptions,
): Pick<EncryptionView, "shown" | "members" | "agreement"> {
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
