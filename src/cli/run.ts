import { CommanderError } from "@commander-js/extra-typings";
import type { NodeError } from "../base/error.ts";
import { OutputFailedError, UsageError } from "./errors.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import { buildProgram } from "./program.ts";
import { formatReport, formatReportJson, reportOf } from "./report_error.ts";
import type { Services } from "./services.ts";
import { OutputClosedError, wantsColor } from "./terminal.ts";
import { usageErrorOf } from "./usage.ts";

/**
 * Runs one command line and reports what goes wrong; returns the exit code.
 *
 * Throws nothing: what only a bug throws is reported with its stack, as 70.
 */
export async function run(
  args: readonly string[],
  services: Services,
): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.done;
  try {
    const program = buildProgram(services, (code) => {
      exitCode = code;
    });
    if (args.length === 0) {
      throw new UsageError(
        "Cannot run as no command is given",
        "Name a command; `sealkv help` lists them",
      );
    }
    await program.parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (error) {
    return conclude(error, args, services);
  }
}

function conclude(
  error: unknown,
  args: readonly string[],
  services: Services,
): ExitCode {
  // Who reads the output has seen enough, as `head` does.
  if (error instanceof OutputClosedError) return EXIT.done;
  if (error instanceof CommanderError) {
    const usage = usageErrorOf(error);
    return usage === null ? EXIT.done : report(usage, args, services);
  }
  return report(error, args, services);
}

function report(
  error: NodeError | unknown,
  args: readonly string[],
  { terminal }: Services,
): ExitCode {
  const report = reportOf(error);
  const { err, env } = terminal;
  try {
    err.write(
      wantsJson(args)
        ? formatReportJson(report)
        : formatReport(report, wantsColor(err, env)),
    );
    if (report.stack !== null) err.write(`${report.stack}\n`);
  } catch (silent) {
    // Nobody is left to tell it to; the exit code still says it.
    if (silent instanceof OutputClosedError) return report.exitCode;
    if (!(silent instanceof OutputFailedError)) throw silent;
  }
  return report.exitCode;
}

function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end < 0 ? args.length : end).includes("--json");
}
