import {
  type Command,
  InvalidArgumentError,
  Option,
} from "@commander-js/extra-typings";
import { CheckFailedError, InputInvalidError } from "../errors.ts";
import { readInput } from "../input.ts";
import {
  accessTokenFileOption,
  durationArgument,
  jsonOption,
  timeoutOption,
  urlOption,
} from "../options.ts";
import type { Services } from "../services.ts";
import { withDatabase } from "./database.ts";
import { KEY_HELP, parseKey } from "./key_syntax.ts";
import {
  parseValue,
  VALUE_HELP,
  VALUE_TYPES,
  valueFromInput,
  type ValueType,
} from "./value_syntax.ts";

/** Far above the largest value of Deno KV (65,536 bytes serialized). */
const INPUT_BYTES_MAX = 1_048_576;

/** Adds `kv set`. */
export function addSet(kv: Command, services: Services): void {
  kv.command("set")
    .description("write the value of a key")
    .argument("<key>", "key, as users/1 or a JSON array")
    .argument("[value]", "value; standard input when left out or -")
    .addOption(
      new Option("--type <TYPE>", "type of the value").choices(VALUE_TYPES),
    )
    .option(
      "--expire-in <DURATION>",
      "remove the record after this time",
      durationArgument,
    )
    .option(
      "--if-versionstamp <STAMP>",
      "write only over this version; none: only when there is no value",
      versionstampArgument,
    )
    .addOption(urlOption())
    .addOption(accessTokenFileOption())
    .addOption(timeoutOption())
    .addOption(jsonOption())
    .addHelpText("after", `\n${KEY_HELP}\n\n${VALUE_HELP}`)
    .action(async (keyText, valueText, options) => {
      const key = parseKey(keyText);
      const type = options.type ?? null;
      const value = await givenValue(services, valueText, type);
      const { expireIn, ifVersionstamp } = options;
      const setOptions = expireIn === undefined ? {} : { expireIn };
      await withDatabase(services, options, async ({ kv, answer }) => {
        const write = atomicOf(() => kv.atomic().set(key, value, setOptions));
        if (ifVersionstamp !== undefined) {
          const versionstamp = ifVersionstamp === "none"
            ? null
            : ifVersionstamp;
          write.check({ key, versionstamp });
        }
        const result = await answer("set the key", write.commit());
        if (!result.ok) throw new CheckFailedError();
        const { ok, versionstamp } = result;
        services.terminal.out.write(
          options.json
            ? `${JSON.stringify({ ok, versionstamp })}\n`
            : `${versionstamp}\n`,
        );
      });
    });
}

/** Adds `kv delete`. */
export function addDelete(kv: Command, services: Services): void {
  kv.command("delete")
    .description("remove a key; done already is done")
    .argument("<key>", "key, as users/1 or a JSON array")
    .addOption(urlOption())
    .addOption(accessTokenFileOption())
    .addOption(timeoutOption())
    .addOption(jsonOption())
    .addHelpText("after", `\n${KEY_HELP}`)
    .action((keyText, options) => {
      const key = parseKey(keyText);
      return withDatabase(services, options, async ({ kv, answer }) => {
        await answer("delete the key", kv.delete(key));
        if (options.json) services.terminal.out.write('{"ok":true}\n');
      });
    });
}

async function givenValue(
  services: Services,
  text: string | undefined,
  type: ValueType | null,
): Promise<unknown> {
  if (text !== undefined && text !== "-") return parseValue(text, type);
  const bytes = await readInput(services.terminal.input(), INPUT_BYTES_MAX);
  return valueFromInput(bytes, type);
}

/** Deno refuses keys and values that are too large before it asks anyone. */
function atomicOf(build: () => Deno.AtomicOperation): Deno.AtomicOperation {
  try {
    return build();
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new InputInvalidError(
      "the record",
      "Deno KV refuses its key or value",
      "Keep keys within 2,048 bytes and values within 65,536 bytes",
      { cause },
    );
  }
}

function versionstampArgument(text: string): string {
  if (/^([0-9a-f]{20}|none)$/.test(text)) return text;
  throw new InvalidArgumentError("Write 20 hex digits, or none.");
}
