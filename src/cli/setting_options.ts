import { type Command, Option } from "@commander-js/extra-typings";
import { type FlagTexts, LIST_BREAK } from "../app/given.ts";
import { LOG_FORMATS, type SettingName, SETTINGS } from "../app/settings.ts";
import { LOG_LEVELS } from "../io/log.ts";

const CHOICES: Partial<Readonly<Record<SettingName, readonly string[]>>> = {
  "log-level": LOG_LEVELS,
  "log-format": LOG_FORMATS,
};

type Fallbacks = Partial<Readonly<Record<SettingName, string>>>;

/**
 * Adds a flag for each of these settings; returns what reads them. `fallbacks`
 * are what help says where the default is not that of `serve`.
 */
export function addSettingOptions(
  command: Command,
  names: readonly SettingName[],
  fallbacks: Fallbacks = {},
): () => FlagTexts {
  const options = names.map((name) =>
    [name, settingOption(name, fallbacks)] as const
  );
  for (const [, option] of options) command.addOption(option);
  return () => {
    const flags: Partial<Record<SettingName, string>> = {};
    for (const [name, option] of options) {
      const value: unknown = command.getOptionValue(option.attributeName());
      if (Array.isArray(value)) flags[name] = value.join(LIST_BREAK);
      else if (value !== undefined) flags[name] = String(value);
    }
    return flags;
  };
}

function settingOption(name: SettingName, fallbacks: Fallbacks): Option {
  const { placeholder, help, isList } = SETTINGS[name];
  const fallback = fallbacks[name] ?? SETTINGS[name].fallback;
  const value = placeholder === null ? "" : ` <${placeholder}>`;
  const shown = fallback === "" ? help : `${help} (default: ${fallback})`;
  const option = new Option(`--${name}${value}`, shown);
  if (isList) {
    option.argParser((text: string, before: readonly string[] = []) => [
      ...before,
      text,
    ]);
  }
  const choices = CHOICES[name];
  return choices === undefined ? option : option.choices(choices);
}
