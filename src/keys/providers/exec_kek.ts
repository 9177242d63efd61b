import { wipe } from "../../crypto/wipe.ts";
import { ExecError } from "../../io/errors.ts";
import type { ExecResult } from "../../io/process.ts";
import {
  KekSourceInvalidError,
  type KekTrouble,
  KekUnavailableError,
} from "../kek_errors.ts";
import type { KekPorts } from "../kek_ports.ts";
import type { Kek } from "../port.ts";
import { commandWords } from "./command_words.ts";
import { KEK_BYTES, LocalKek } from "./local_kek.ts";

/** A program may ask a token or a server; nobody is there to type. */
const EXEC_MS_MAX = 30_000;

/**
 * `exec:COMMAND`: a program that prints the 32 bytes of the KEK and no more,
 * such as age, pass or op. Words as in command_words.ts, no shell.
 *
 * Errors name the program alone: its arguments and what it complains of may be
 * secret.
 *
 * @throws {KekSourceInvalidError | KekUnavailableError}
 */
export async function openExecKek(
  command: string,
  ports: KekPorts,
): Promise<Kek> {
  const words = commandWords(command);
  if (words === null) {
    throw new KekSourceInvalidError("exec", "it is no command");
  }
  const name = `exec:${words[0]}`;
  const { exitCode, stdout } = await run(name, words, ports);
  const { length } = stdout;
  if (exitCode === 0 && length === KEK_BYTES) {
    return await LocalKek.of(stdout, ports.random);
  }
  wipe(stdout);
  throw exitCode === 0
    ? unavailable(
      name,
      "malformed",
      `the program must print exactly ${KEK_BYTES} bytes, without a line ` +
        `break: current value is ${length} bytes`,
    )
    : unavailable(name, "refused", `the program ended with ${exitCode}`);
}

async function run(
  name: string,
  words: readonly string[],
  ports: KekPorts,
): Promise<ExecResult> {
  try {
    return await ports.process.exec(words, {
      timeoutMs: EXEC_MS_MAX,
      // One byte more than a KEK tells that it prints too much.
      stdoutBytesMax: KEK_BYTES + 1,
    });
  } catch (cause) {
    if (!(cause instanceof ExecError)) throw cause;
    throw unavailable(name, "missing", "the program gives no KEK", { cause });
  }
}

function unavailable(
  name: string,
  trouble: KekTrouble,
  rule: string,
  options?: ErrorOptions,
): KekUnavailableError {
  return new KekUnavailableError(
    name,
    trouble,
    rule,
    "Run the program by hand as the user that runs the node",
    options,
  );
}
