import { ConfigFileInvalidError } from "./errors.ts";
import type { Files } from "../io/files.ts";
import {
  isSettingName,
  SETTING_NAMES,
  type SettingName,
  SETTINGS,
  variableOf,
} from "./settings.ts";

const CONFIG_FILE_BYTES_MAX = 65_536;

/** A value as someone wrote it, and where. */
export interface GivenValue {
  /** Values of a list have line breaks between them. */
  readonly text: string;
  /** Names the flag, variable or file for an error. */
  readonly source: string;
}

export type GivenSettings = Partial<Readonly<Record<SettingName, GivenValue>>>;

/** Values of flags; a switch that is on is "true", a list has line breaks. */
export type FlagTexts = Partial<Readonly<Record<SettingName, string>>>;

export const LIST_BREAK = "\n";

export interface SettingSources {
  readonly flags: FlagTexts;
  /** Path behind `--config`. */
  readonly configPath: string | null;
  env(name: string): string | undefined;
  readonly files: Files;
}

/**
 * Collects what was given, each setting from its best source: flag, then
 * environment, then file. An empty variable counts as not given.
 *
 * @throws {ConfigFileInvalidError | FileError}
 */
export async function collectSettings(
  sources: SettingSources,
): Promise<GivenSettings> {
  const { flags, env, files } = sources;
  const path = sources.configPath ?? (env(variableOf("config")) || null);
  const inFile = path === null ? {} : await readConfigFile(path, files);
  const given: Partial<Record<SettingName, GivenValue>> = {};
  for (const name of SETTING_NAMES) {
    const flag = flags[name];
    const variable = env(variableOf(name));
    if (flag !== undefined) {
      given[name] = { text: flag, source: `--${name}` };
    } else if (variable !== undefined && variable !== "") {
      const text = SETTINGS[name].isList
        ? variable.replaceAll(",", LIST_BREAK)
        : variable;
      given[name] = { text, source: variableOf(name) };
    } else if (inFile[name] !== undefined) {
      given[name] = inFile[name];
    }
  }
  return Object.freeze(given);
}

async function readConfigFile(
  path: string,
  files: Files,
): Promise<GivenSettings> {
  const content = await files.read(path, CONFIG_FILE_BYTES_MAX);
  if (content === null) {
    throw new ConfigFileInvalidError(path, "it does not exist");
  }
  const given: Partial<Record<SettingName, GivenValue>> = {};
  for (const [key, value] of Object.entries(parseObject(path, content.bytes))) {
    if (!isSettingName(key)) {
      throw new ConfigFileInvalidError(path, `"${key}" is no setting`);
    }
    const text = textOf(key, value);
    if (text === null) {
      const rule = SETTINGS[key].isList
        ? "a string or an array of strings"
        : "a string, a number, true or false";
      throw new ConfigFileInvalidError(path, `"${key}" is not ${rule}`);
    }
    given[key] = { text, source: `"${key}" in "${path}"` };
  }
  return given;
}

/** `null` for a value that the setting does not take. */
function textOf(name: SettingName, value: unknown): string | null {
  if (SETTINGS[name].isList) {
    const items: readonly unknown[] = Array.isArray(value) ? value : [value];
    const texts = items.filter((item) => typeof item === "string");
    return texts.length === items.length ? texts.join(LIST_BREAK) : null;
  }
  const isPlain = typeof value === "string" || typeof value === "number" ||
    typeof value === "boolean";
  return isPlain ? String(value) : null;
}

function parseObject(path: string, bytes: Uint8Array): object {
  let parsed: unknown;
  try {
    parsed = JSON.parse(
      new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    );
  } catch (cause) {
    throw new ConfigFileInvalidError(path, "it is not JSON", { cause });
  }
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) {
    return parsed;
  }
  throw new ConfigFileInvalidError(path, "it is not a JSON object");
}
