import { Command } from "@commander-js/extra-typings";
import tab from "@bomb.sh/tab/commander";
import type { Command as PlainCommand } from "commander";
import { VERSION } from "../base/version.ts";
import type { ExitCode } from "./exit_code.ts";
import { addBackup } from "./backup/backup.ts";
import { addBench } from "./bench.ts";
import { addDashboard } from "./dashboard.ts";
import { addDemo } from "./demo/demo.ts";
import { addDoctor } from "./doctor.ts";
import { addEncryption } from "./encryption/encryption.ts";
import { addKek } from "./kek.ts";
import { addGet, addList } from "./kv/read_commands.ts";
import { addExport, addImport } from "./kv/transfer_commands.ts";
import { addWatch } from "./kv/watch_command.ts";
import { addDelete, addSet } from "./kv/write_commands.ts";
import { addMember } from "./member/member.ts";
import { addRollout } from "./rollout/rollout.ts";
import { addServe } from "./serve.ts";
import type { Services } from "./services.ts";
import { addStatus } from "./status.ts";
import { addVersion } from "./version.ts";

/** Help is the same text everywhere: people compare it, tests freeze it. */
const HELP_COLUMNS = 80;

const EXIT_HELP = `
Exit codes: 0 done, 1 unexpected, 2 usage, 3 blocked by a check, 4 unconfirmed,
5 nobody answered, 6 plan is stale, 7 not finished in time, 8 not done, 70 bug,
74 disk, 78 configuration or startup guard, 130 interrupted.
Data goes to standard output, talk to standard error; --json makes both JSON.`;

/**
 * Builds the tree of commands.
 *
 * `finish` takes the exit code of a command that ends with another than 0.
 * Parsing throws CommanderError, actions what they throw; nothing exits.
 */
export function buildProgram(
  services: Services,
  finish: (code: ExitCode) => void,
): Command {
  const { out } = services.terminal;
  const program = new Command("sealkv")
    .description("A replicated Deno KV. One binary is a node and its client.")
    .version(VERSION, "-V, --version", "print the version")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => out.write(text),
      // Errors are thrown and reported in one form; help is asked for.
      writeErr: () => {},
      getOutHelpWidth: () => HELP_COLUMNS,
      getErrHelpWidth: () => HELP_COLUMNS,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .helpCommand("help [command]", "show help of a command")
    .showSuggestionAfterError(true)
    .addHelpText("after", EXIT_HELP);
  program.commandsGroup("Server:");
  addServe(program, services, finish);
  addStatus(program, services, finish);
  addDashboard(program, services, finish);
  addMember(program, services, finish);
  addEncryption(program, services, finish);
  addRollout(program, services, finish);
  addKek(program, services);
  addBackup(program, services);
  addDoctor(program, services, finish);
  program.commandsGroup("Data:");
  const kv = program.command("kv")
    .description("read and write a database");
  addGet(kv, services);
  addSet(kv, services);
  addDelete(kv, services);
  addList(kv, services);
  addWatch(kv, services, finish);
  addImport(kv, services);
  addExport(kv, services);
  program.commandsGroup("Program:");
  addDemo(program, services, finish);
  addBench(program, services, finish);
  addVersion(program, services);
  // The same class at run time; only the types of the two packages differ.
  tab(program as unknown as PlainCommand, {
    completionCommandName: "completions",
  });
  return program;
}
