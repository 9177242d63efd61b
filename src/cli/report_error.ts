import { InvariantError } from "../base/assert.ts";
import { NodeError } from "../base/error.ts";
import { EXIT, EXIT_OF, type ExitCode } from "./exit_code.ts";

/** An error ready to be shown. */
export interface Report {
  readonly code: string;
  readonly message: string;
  /** What lies below, nearest first. */
  readonly causes: readonly string[];
  readonly remedy: string;
  readonly exitCode: ExitCode;
  /** Only of what nobody expected. */
  readonly stack: string | null;
}

const CAUSES_MAX = 8;

export function reportOf(error: unknown): Report {
  if (error instanceof NodeError) {
    return {
      code: error.code,
      message: error.message,
      causes: causesOf(error),
      remedy: error.remedy,
      exitCode: EXIT_OF[error.code],
      stack: null,
    };
  }
  const isBug = error instanceof InvariantError;
  return {
    code: isBug ? "BUG" : "UNEXPECTED",
    message: error instanceof Error ? error.message : String(error),
    causes: causesOf(error),
    remedy:
      "Report this with the lines below and the output of `sealkv version`",
    exitCode: isBug ? EXIT.bug : EXIT.unexpected,
    stack: error instanceof Error ? error.stack ?? null : null,
  };
}

/** Three kinds of lines: what, why (one per link), what to do. */
export function formatReport(report: Report, isColored: boolean): string {
  const lines = [
    `${paint(`error[${report.code}]`, "31;1", isColored)}: ${report.message}`,
    ...report.causes.map((cause) =>
      `${paint("cause", "33", isColored)}: ${cause}`
    ),
    `${paint("remedy", "36", isColored)}: ${report.remedy}`,
  ];
  return `${lines.join("\n")}\n`;
}

export function formatReportJson(report: Report): string {
  const { code, message, causes, remedy } = report;
  return `${JSON.stringify({ error: { code, message, remedy, causes } })}\n`;
}

function causesOf(error: unknown): readonly string[] {
  const causes: string[] = [];
  let link = error instanceof Error ? error.cause : undefined;
  while (link !== undefined && causes.length < CAUSES_MAX) {
    causes.push(oneLine(link instanceof Error ? link.message : String(link)));
    link = link instanceof Error ? link.cause : undefined;
  }
  return causes;
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, " ").trim();
}

function paint(text: string, style: string, isColored: boolean): string {
  return isColored ? `\x1b[${style}m${text}\x1b[0m` : text;
}
