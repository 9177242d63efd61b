import { type Address, parseAddress } from "../base/address.ts";
import { ConfigInvalidError } from "./errors.ts";
import { type GivenSettings, LIST_BREAK } from "./given.ts";
import type { SettingName } from "./settings.ts";
import { formatSize, parseSize } from "../base/size.ts";

const PATH_LENGTH_MAX = 4_096;

/** Reads settings one by one and names the guilty one. */
export class SettingReader {
  readonly #given: GivenSettings;

  constructor(given: GivenSettings) {
    this.#given = given;
  }

  text(
    name: SettingName,
    rule: string,
    accepts: (text: string) => boolean,
  ): string | null {
    const text = this.#given[name]?.text;
    if (text === undefined) return null;
    if (!accepts(text)) throw this.refusal(name, rule);
    return text;
  }

  path(name: SettingName): string | null {
    return this.text(
      name,
      `a path of 1 to ${PATH_LENGTH_MAX} characters`,
      (text) =>
        text.length > 0 && text.length <= PATH_LENGTH_MAX &&
        !text.includes("\0"),
    );
  }

  address(name: SettingName): Address | null {
    const text = this.#given[name]?.text;
    if (text === undefined) return null;
    const address = parseAddress(text);
    if (address !== null) return address;
    throw this.refusal(name, 'an address, as "127.0.0.1:4512" or "[::1]:4512"');
  }

  /** An address that someone dials: its port is known. */
  dialled(name: SettingName): Address | null {
    const address = this.address(name);
    if (address?.port !== 0) return address;
    throw this.refusal(name, "an address with a port above 0");
  }

  /** Addresses that someone dials, separated by commas. */
  dialledList(name: SettingName, countMax: number): readonly Address[] | null {
    const text = this.#given[name]?.text;
    if (text === undefined) return null;
    const parts = text.split(",");
    const addresses = parts.flatMap((part) => parseAddress(part) ?? [])
      .filter(({ port }) => port !== 0);
    if (addresses.length === parts.length && parts.length <= countMax) {
      return Object.freeze(addresses);
    }
    throw this.refusal(
      name,
      `1 to ${countMax} addresses, HOST:PORT, separated by commas`,
    );
  }

  /**
   * Values of a list, none twice; none when it is not given. What it has is
   * not shown by a refusal: people paste keys.
   */
  list(name: SettingName, countMax: number): readonly string[] {
    const given = this.#given[name];
    if (given === undefined) return [];
    const values = given.text.split(LIST_BREAK).map((text) => text.trim());
    const isSound = values.every((value) =>
      value.length > 0 && value.length <= PATH_LENGTH_MAX &&
      !value.includes("\0")
    );
    if (
      isSound && values.length <= countMax &&
      new Set(values).size === values.length
    ) {
      return Object.freeze(values);
    }
    throw new ConfigInvalidError(
      name,
      `${values.length} values`,
      `1 to ${countMax} different values of 1 to ${PATH_LENGTH_MAX} characters`,
      given.source,
    );
  }

  /** Bytes of a size with its unit, as 50MiB, of [min, max]. */
  size(name: SettingName, min: number, max: number): number | null {
    const text = this.#given[name]?.text;
    if (text === undefined) return null;
    const bytes = parseSize(text);
    if (bytes !== null && bytes >= min && bytes <= max) return bytes;
    throw this.refusal(
      name,
      `a size of ${formatSize(min)} to ${formatSize(max)}`,
    );
  }

  integer(name: SettingName, min: number, max: number): number | null {
    const text = this.text(
      name,
      `a whole number of ${min} to ${max}`,
      (text) =>
        /^[0-9]{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max,
    );
    return text === null ? null : Number(text);
  }

  choice<const Choice extends string>(
    name: SettingName,
    choices: readonly Choice[],
  ): Choice | null {
    const text = this.#given[name]?.text;
    if (text === undefined) return null;
    const choice = choices.find((choice) => choice === text);
    if (choice !== undefined) return choice;
    throw this.refusal(name, `one of ${choices.join(", ")}`);
  }

  isOn(name: SettingName): boolean {
    const text = this.text(
      name,
      "true or false (also 1 or 0)",
      (text) => /^(true|false|1|0)$/.test(text),
    );
    return text === "true" || text === "1";
  }

  refusal(name: SettingName, rule: string): ConfigInvalidError {
    const given = this.#given[name];
    return new ConfigInvalidError(
      name,
      given?.text ?? "",
      rule,
      given?.source ?? "its default",
    );
  }
}
