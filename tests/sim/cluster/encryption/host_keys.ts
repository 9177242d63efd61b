import type { Bytes } from "../../../../src/base/bytes.ts";
import { NodeError } from "../../../../src/base/error.ts";
import type { Random } from "../../../../src/io/random.ts";
import { KekUnavailableError } from "../../../../src/keys/kek_errors.ts";
import type { Kek, WrapContext } from "../../../../src/keys/port.ts";
import { LocalKek } from "../../../../src/keys/providers/local_kek.ts";
import type { KeySettings } from "../../../../src/node/guards/open_keys.ts";
import type { Device } from "../host_disk.ts";
import type { Life } from "../life.ts";

/**
 * How a host is told about encryption:
 *
 * - `right`: as all are to be
 * - `fewer`: with the last one of two KEKs; it opens what is under both
 * - `other-kek`, `no-kek`, `no-flag`: not capable
 */
export type KeySetting = "right" | "fewer" | "other-kek" | "no-kek" | "no-flag";

/** What a start ends with when the data dir has keys already. */
const REFUSALS: Readonly<Record<KeySetting, string | null>> = {
  "right": null,
  // It may open them.
  "fewer": null,
  "other-kek": "KEYS_KEK_MISMATCH",
  "no-kek": "NODE_KEK_REQUIRED",
  "no-flag": "NODE_SIDECAR_WITHOUT_FLAG",
};
const HALTED = "NODE_ENCRYPTION_HALTED";
/** Why an entry cannot be applied by a host that is not told rightly. */
const INCAPABLE: readonly string[] = ["KEYS_KEK_MISMATCH", "NODE_KEK_REQUIRED"];

const KEK_MS = 2;
/** Numbers of the KEKs that hosts may rightly have. */
export const SIM_KEKS: readonly number[] = [1, 2];
const OTHER_KEK = 9;

/** The bytes that KEK `number` has in every world: disks may be cloned. */
export function kekBytes(number: number): Bytes {
  return new Uint8Array(32).fill(number);
}

/** What a host has to open keys with, rightly or not. */
export class HostKeys {
  /** Its provider does not answer. */
  isDown = false;
  /** As the life that runs was started; and whether its provider was down. */
  started: KeySetting = "right";
  wasDown = false;
  startedSinceMs = 0;
  /** Since when its lives are started so. */
  #sinceMs = 0;
  #setting: KeySetting = "right";
  readonly #numbers: readonly number[];

  /** `numbers` of its KEKs, the primary first. */
  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  get setting(): KeySetting {
    return this.#setting;
  }

  /** The next start has it. */
  set(setting: KeySetting, nowMs: number): void {
    if (setting === this.#setting) return;
    this.#setting = setting;
    this.#sinceMs = nowMs;
  }

  down(): void {
    this.isDown = true;
    this.wasDown = true;
  }

  /** For a start now. */
  settings(life: Life, random: Random, device: Device): KeySettings {
    this.started = this.#setting;
    this.startedSinceMs = this.#sinceMs;
    this.wasDown = this.isDown;
    const numbers = this.#numbersOf(this.#setting);
    return {
      isEnabled: this.#setting !== "no-flag",
      kekCount: numbers.length,
      openKeks: () =>
        Promise.all(numbers.map(async (number) => {
          const kek = await LocalKek.of(kekBytes(number), random);
          return new HostKek(kek, { life, device, keys: this });
        })),
    };
  }

  /** What a start that is told so must end with where keys are. */
  get refusal(): string | null {
    return REFUSALS[this.started];
  }

  /** Tells whether a host that is told so ends like that. */
  explains(error: Error): boolean {
    if (!(error instanceof NodeError)) return false;
    if (error.code === "KEYS_KEK_UNAVAILABLE") return this.wasDown;
    if (this.started === "right") return false;
    if (error.code === HALTED) {
      const { cause } = error;
      return cause instanceof NodeError && INCAPABLE.includes(cause.code);
    }
    return error.code === (this.refusal ?? "KEYS_KEK_MISMATCH");
  }

  #numbersOf(setting: KeySetting): readonly number[] {
    switch (setting) {
      case "right":
        return this.#numbers;
      case "fewer":
        return this.#numbers.slice(-1);
      case "other-kek":
        return [OTHER_KEK];
      case "no-kek":
      case "no-flag":
        return [];
    }
  }
}

interface HostKekParts {
  readonly life: Life;
  readonly device: Device;
  readonly keys: HostKeys;
}

/** A KEK as one life of a host reaches it: it takes time, and may be away. */
class HostKek implements Kek {
  readonly id: string;
  readonly #kek: LocalKek;
  readonly #parts: HostKekParts;

  constructor(kek: LocalKek, parts: HostKekParts) {
    this.id = kek.id;
    this.#kek = kek;
    this.#parts = parts;
  }

  wrap(secret: Bytes, context: WrapContext): Promise<Bytes> {
    return this.#take(() => this.#kek.wrap(secret, context));
  }

  unwrap(wrapped: Bytes, context: WrapContext): Promise<Bytes> {
    return this.#take(() => this.#kek.unwrap(wrapped, context));
  }

  #take<T>(effect: () => Promise<T>): Promise<T> {
    const { life, device, keys } = this.#parts;
    return life.operate(device.latency(KEK_MS), () => {
      if (!keys.isDown) return effect();
      const rule = "it must answer";
      return Promise.reject(
        new KekUnavailableError(this.id, "unreachable", rule, "Wait"),
      );
    });
  }
}
