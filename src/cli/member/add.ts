import { Argument, type Command } from "@commander-js/extra-typings";
import { type AdminOptions, withAdmin } from "../admin_connection.ts";
import { EXIT, type ExitCode } from "../exit_code.ts";
import {
  addressArgument,
  adminOptions,
  jsonOption,
  memberArgument,
} from "../options.ts";
import type { Services } from "../services.ts";
import {
  type ChangeFlags,
  dryRunOption,
  planOption,
  waitOption,
} from "./change_options.ts";
import { showChange } from "./change_view.ts";
import { startLine } from "./start_line.ts";
import { waitForVoter } from "./wait_voter.ts";

const ADD_HELP = `
The member is a learner first: it has no vote, so it cannot hold up writes while
it copies the data. The cluster makes it a voter once it has caught up. Start
the node with the line that is printed. The wait may be cut short (exit code 7
after --wait): the cluster goes on by itself.`;

interface AddOptions extends ChangeFlags, AdminOptions {
  readonly peer: string;
  /** `false`: do not wait. */
  readonly wait?: number | false;
}

/** Adds `member add` and `member add-learner`. */
export function addMemberAdd(
  member: Command,
  services: Services,
  finish: (code: ExitCode) => void,
): void {
  const add = member.command("add")
    .description("add a member, which gets a vote when it has caught up")
    .addArgument(nameArgument())
    .requiredOption(
      "--peer <ADDR>",
      "what other members dial, HOST:PORT",
      addressArgument,
    )
    .addOption(waitOption())
    .option("--no-wait", "return once the cluster knows it")
    .addOption(dryRunOption())
    .addOption(planOption())
    .addHelpText("after", ADD_HELP);
  adminOptions(add).addOption(jsonOption())
    .action(async (name, options) => {
      const isInterrupted = await addMember(services, name, options);
      if (isInterrupted) finish(EXIT.interrupted);
    });
  const learner = member.command("add-learner")
    .description("add a member that copies the data and never votes")
    .addArgument(nameArgument())
    .requiredOption(
      "--peer <ADDR>",
      "what other members dial, HOST:PORT",
      addressArgument,
    )
    .addOption(dryRunOption())
    .addOption(planOption());
  adminOptions(learner).addOption(jsonOption())
    .action(async (name, options) => {
      await addMember(services, name, options, { promote: false });
    });
}

function nameArgument() {
  return new Argument("<name>", "the new member's --node")
    .argParser(memberArgument);
}

/** True when someone stopped the wait. */
async function addMember(
  services: Services,
  name: string,
  options: AddOptions,
  { promote } = { promote: true },
): Promise<boolean> {
  const { peer: peerAddress, admin, wait = false } = options;
  const isDryRun = options.dryRun === true;
  const isJson = options.json === true;
  const start = startLine({ node: name, dataDir: null, peerAddress, admin });
  return await withAdmin(services, options, async (client) => {
    const outcome = await client.addMember(
      { name, peerAddress, promote },
      { dryRun: isDryRun, planHash: options.plan ?? "" },
    );
    showChange(services, {
      change: promote ? "add" : "add-learner",
      member: name,
      outcome,
      after: [`start it, with its other settings: ${start}`],
      isDryRun,
      isJson,
      facts: { start },
    });
    if (isDryRun || !promote || wait === false) return false;
    const isInterrupted = await waitForVoter(services, client, {
      name,
      waitMs: wait,
      isJson,
    });
    if (!isInterrupted) showVoter(services, name, isJson);
    return isInterrupted;
  });
}

function showVoter({ terminal }: Services, name: string, isJson: boolean) {
  const json = { member: name, isVoter: true };
  terminal.out.write(
    isJson ? `${JSON.stringify(json)}\n` : `${name} is a voter\n`,
  );
}
