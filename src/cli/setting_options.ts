import { type Command, Option } from "@commander-js/extra-typings";
import { type FlagTexts, LIST_BREAK } from "../app/given.ts";
import { LOG_FORMATS, type SettingName, SETTINGS } from "../app/settings.ts";
import { LOG_LEVELS } from "../io/log.ts";

const CHOICES: Partial<Readonly<Record<SettingName, readonly string[]>>> = {
  "log-level": LOG_LEVELS,
  "log-format": LOG_FORMATS,
};

/** Adds a flag for each of these settings; returns what reads them. */
export function addSettingOptions(
  command: Command,
  names: readonly SettingName[],
): () => FlagTexts {
  const options = names.map((name) => [name, settingOption(name)] as const);
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

function settingOption(name: SettingName): Option {
  const { placeholder, fallback, help, isList } = SETTINGS[name];
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
