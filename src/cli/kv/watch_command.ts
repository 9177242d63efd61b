import type { Command } from "@commander-js/extra-typings";
import { DatabaseRefusedError, InputInvalidError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit_code.ts";
import { untilInterrupted } from "../interrupt.ts";
import {
  accessTokenFileOption,
  countArgument,
  jsonOption,
  timeoutOption,
  urlOption,
} from "../options.ts";
import type { Services } from "../services.ts";
import { withDatabase } from "./database.ts";
import { KEY_HELP, parseKey } from "./key_syntax.ts";
import { recordLine, recordText } from "./record.ts";

/** Limit of Deno KV for one watch. */
const WATCH_KEYS_MAX = 10;
const COUNT_MAX = 1_000_000;

/** Adds `kv watch`. */
export function addWatch(
  kv: Command,
  services: Services,
  finish: (code: ExitCode) => void,
): void {
  kv.command("watch")
    .description("print keys now and after every change, until stopped")
    .argument("<keys...>", "1 to 10 keys, as users/1 or JSON arrays")
    .option(
      "--count <N>",
      "stop after this many lines",
      countArgument(1, COUNT_MAX),
    )
    .addOption(urlOption())
    .addOption(accessTokenFileOption())
    .addOption(timeoutOption())
    .addOption(jsonOption())
    .addHelpText("after", `\n${KEY_HELP}`)
    .action((keyTexts, options) => {
      if (keyTexts.length > WATCH_KEYS_MAX) {
        throw new InputInvalidError(
          "the keys",
          `a watch takes at most ${WATCH_KEYS_MAX} keys`,
          "Start another `sealkv kv watch` for the rest",
        );
      }
      const keys = keyTexts.map(parseKey);
      return withDatabase(services, options, async ({ kv }) => {
        const printer = new ChangePrinter(
          services,
          options.json === true,
          options.count ?? Infinity,
        );
        const isStopped = await untilInterrupted(
          services.process,
          (signals) => follow(kv.watch(keys), printer, signals.first),
        );
        if (isStopped) finish(EXIT.interrupted);
      });
    });
}

async function follow(
  stream: ReadableStream<readonly Deno.KvEntryMaybe<unknown>[]>,
  printer: ChangePrinter,
  stopped: Promise<"stopped">,
): Promise<void> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const next = await Promise.race([reader.read(), stopped]);
      if (next === "stopped" || next.done) return;
      if (printer.print(next.value)) return;
    }
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new DatabaseRefusedError("watch the keys", { cause });
  } finally {
    await reader.cancel();
  }
}

/** Prints those of the watched keys that changed since the last time. */
class ChangePrinter {
  readonly #services: Services;
  readonly #isJson: boolean;
  readonly #seen = new Map<number, string | null>();
  #left: number;

  constructor(services: Services, isJson: boolean, count: number) {
    this.#services = services;
    this.#isJson = isJson;
    this.#left = count;
  }

  /** True when nothing more is wanted. */
  print(entries: readonly Deno.KvEntryMaybe<unknown>[]): boolean {
    for (const [position, entry] of entries.entries()) {
      if (this.#seen.get(position) === entry.versionstamp) continue;
      this.#seen.set(position, entry.versionstamp);
      this.#services.terminal.out.write(
        this.#isJson ? recordLine(entry) : recordText(entry),
      );
      this.#left -= 1;
      if (this.#left === 0) return true;
    }
    return false;
  }
}
