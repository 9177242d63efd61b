import { UnconfirmedError } from "../errors.ts";
import { readLines } from "../input.ts";
import type { Services } from "../services.ts";
import { wrapped } from "../wrap.ts";

const LINE_BYTES_MAX = 1_024;

export interface Question {
  /** What `--confirm` said. */
  readonly given: string | undefined;
  /** The cluster's name. */
  readonly cluster: string;
  /** What is about to happen, line by line. */
  readonly steps: readonly string[];
  readonly isJson: boolean;
}

/**
 * The cluster's name as it was given, or as someone at the terminal types it
 * after reading the steps.
 *
 * @throws {UnconfirmedError} When it is missing or another one.
 */
export async function confirmed(
  services: Services,
  { given, cluster, steps, isJson }: Question,
): Promise<string> {
  const { terminal } = services;
  let name = given;
  if (name === undefined && terminal.isInteractive && !isJson) {
    for (const line of steps.flatMap((step) => wrapped(`  ${step}`))) {
      terminal.err.write(`${line}\n`);
    }
    terminal.err.write(
      `This cannot be undone. Type the cluster's name to go on: `,
    );
    name = await typedLine(terminal.input());
  }
  if (name !== undefined && name === cluster) return name;
  throw new UnconfirmedError(name ?? "", cluster);
}

async function typedLine(
  input: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<string> {
  for await (const line of readLines(input, LINE_BYTES_MAX)) return line.trim();
  return "";
}
