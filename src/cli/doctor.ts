import type { Command } from "@commander-js/extra-typings";
import type { DoctorReport } from "../app/doctor.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import { configOption, jsonOption } from "./options.ts";
import { reportOf } from "./report_error.ts";
import type { Services } from "./services.ts";
import { addStoppedNodeOptions } from "./stopped_node_settings.ts";

const HELP = `
For a stopped node: lets every startup guard speak, and changes nothing. Takes
the settings of serve, from flags, variables and the --config file; without
--node the data dir says whose it is.

Ends with 0 when nothing speaks against a start, else with 78. "unchecked" says
that a guard could not look at everything because of another finding.`;

/** Adds `doctor`. */
export function addDoctor(
  program: Command,
  services: Services,
  finish: (code: ExitCode) => void,
): void {
  const command = program.command("doctor")
    .description("check a stopped node by every startup guard")
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText("after", HELP);
  const readNode = addStoppedNodeOptions(command, services, [
    "node",
    "data-dir",
    "encryption-enabled",
    "kek",
    "kek-file",
  ]);
  command.action(async ({ config = null, json = false }) => {
    const { out } = services.terminal;
    const report = await services.runDoctor(await readNode(config));
    out.write(json ? jsonOf(report) : textOf(report));
    const isRefused = report.findings.some(({ error }) => error !== null);
    if (isRefused) finish(EXIT.config);
  });
}

function textOf({ node, dataDir, findings }: DoctorReport): string {
  const width = Math.max(...findings.map(({ guard }) => guard.length));
  const lines = findings.flatMap(({ guard, verdict, error }) => {
    const head = `${verdict.padEnd(9)} ${guard.padEnd(width)}`;
    if (error === null) return [head.trimEnd()];
    const { code, message, causes, remedy } = reportOf(error);
    return [
      `${head} error[${code}]: ${message}`,
      ...causes.map((cause) => `          cause: ${cause}`),
      `          remedy: ${remedy}`,
    ];
  });
  const count = findings.filter(({ error }) => error !== null).length;
  const end = count === 0
    ? `${node} in ${dataDir} may start`
    : `${node} in ${dataDir} may not start: ${count} refused`;
  return `${[...lines, end].join("\n")}\n`;
}

function jsonOf({ node, dataDir, findings }: DoctorReport): string {
  const list = findings.map(({ guard, verdict, error }) => {
    if (error === null) return { guard, verdict };
    const { code, message, remedy, causes } = reportOf(error);
    return { guard, verdict, error: { code, message, remedy, causes } };
  });
  const isRefused = findings.some(({ error }) => error !== null);
  return `${
    JSON.stringify({ node, dataDir, mayStart: !isRefused, findings: list })
  }\n`;
}
