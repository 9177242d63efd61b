import type { Command } from "@commander-js/extra-typings";
import { InputInvalidError, KeyNotFoundError } from "../errors.ts";
import {
  accessTokenFileOption,
  countArgument,
  jsonOption,
  timeoutOption,
  urlOption,
} from "../options.ts";
import type { Services } from "../services.ts";
import { type Database, withDatabase } from "./database.ts";
import { KEY_HELP, parseKey } from "./key_syntax.ts";
import { recordLine, recordText } from "./record.ts";
import { showValue } from "./value_syntax.ts";

/** Beyond it, a listing is an export. */
const LIST_LIMIT_MAX = 1_000_000;
const LIST_LIMIT_DEFAULT = 100;
const LIST_BATCH = 500;

/** Adds `kv get`. */
export function addGet(kv: Command, services: Services): void {
  kv.command("get")
    .description("print the value of a key")
    .argument("<key>", "key, as users/1 or a JSON array")
    .option("--raw", "print text and bytes as they are, without a line break")
    .addOption(urlOption())
    .addOption(accessTokenFileOption())
    .addOption(timeoutOption())
    .addOption(jsonOption())
    .addHelpText("after", `\n${KEY_HELP}`)
    .action((keyText, options) => {
      const key = parseKey(keyText);
      return withDatabase(services, options, async ({ kv, answer }) => {
        const entry = await answer("get the key", kv.get(key));
        if (entry.versionstamp === null) throw new KeyNotFoundError();
        const { out } = services.terminal;
        if (options.json) out.write(recordLine(entry));
        else if (options.raw) out.write(rawValue(entry.value));
        else out.write(`${showValue(entry.value)}\n`);
      });
    });
}

function rawValue(value: unknown): string | Uint8Array {
  if (typeof value === "string" || value instanceof Uint8Array) return value;
  throw new InputInvalidError(
    "the value",
    "it is neither text nor bytes",
    "Leave --raw out, or give --json",
  );
}

/** Adds `kv list`. */
export function addList(kv: Command, services: Services): void {
  kv.command("list")
    .description("print keys and values in order")
    .option("--prefix <KEY>", "only keys that start with these parts")
    .option("--start <KEY>", "first key")
    .option("--end <KEY>", "key after the last one")
    .option(
      "--limit <N>",
      "most records to print",
      countArgument(1, LIST_LIMIT_MAX),
      LIST_LIMIT_DEFAULT,
    )
    .option("--reverse", "last key first")
    .option("--cursor <CURSOR>", "go on where an earlier listing stopped")
    .addOption(urlOption())
    .addOption(accessTokenFileOption())
    .addOption(timeoutOption())
    .addOption(jsonOption())
    .addHelpText("after", `\n${KEY_HELP}`)
    .action((options) => {
      const selector = selectorOf(options);
      return withDatabase(
        services,
        options,
        (database) => printList(services, database, selector, options),
      );
    });
}

export interface SelectorOptions {
  readonly prefix?: string | undefined;
  readonly start?: string | undefined;
  readonly end?: string | undefined;
}

/** @throws {InputInvalidError} For a combination that Deno KV has not. */
export function selectorOf(options: SelectorOptions): Deno.KvListSelector {
  const { prefix, start, end } = options;
  if (prefix !== undefined && start !== undefined && end !== undefined) {
    throw badSelector("a prefix allows a start or an end, not both");
  }
  if (prefix !== undefined) {
    return {
      prefix: parseKey(prefix),
      ...(start === undefined ? {} : { start: parseKey(start) }),
      ...(end === undefined ? {} : { end: parseKey(end) }),
    } as Deno.KvListSelector;
  }
  if (start !== undefined && end !== undefined) {
    return { start: parseKey(start), end: parseKey(end) };
  }
  if (start === undefined && end === undefined) return { prefix: [] };
  throw badSelector("a start and an end come together without a prefix");
}

function badSelector(rule: string): InputInvalidError {
  return new InputInvalidError(
    "the range",
    rule,
    "Give --prefix, or --start and --end, or --prefix and one of them",
  );
}

interface ListOptions {
  readonly limit: number;
  readonly reverse?: true | undefined;
  readonly cursor?: string | undefined;
  readonly json?: true | undefined;
}

async function printList(
  services: Services,
  { kv, answer }: Database,
  selector: Deno.KvListSelector,
  options: ListOptions,
): Promise<void> {
  const { out, err } = services.terminal;
  const { limit, cursor, json } = options;
  const entries = kv.list(selector, {
    limit,
    batchSize: Math.min(limit, LIST_BATCH),
    reverse: options.reverse === true,
    ...(cursor === undefined ? {} : { cursor }),
  });
  let count = 0;
  for (;;) {
    const { done, value } = await answer("list keys", entries.next());
    if (done === true) break;
    out.write(json ? recordLine(value) : recordText(value));
    count += 1;
  }
  if (count < limit) return;
  if (json) out.write(`${JSON.stringify({ cursor: entries.cursor })}\n`);
  else err.write(`There may be more: --cursor ${entries.cursor}\n`);
}
