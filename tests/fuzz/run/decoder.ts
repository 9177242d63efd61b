import type { Bytes } from "../../../src/base/bytes.ts";
import type { Rng } from "./rng.ts";

/**
 * What a decoder made of an input: `null` when it refused it; the bytes that
 * its value encodes to, which must be the input; "taken" where one value has
 * several encodings, or where the value was checked otherwise.
 */
export type Verdict = Bytes | "taken" | null;

/** One decoder, and how to make inputs that get far in it. */
export interface Decoder {
  /** In words, as `--only` takes it. */
  readonly name: string;
  /** The longest input that it looks into; longer ones are tried, too. */
  readonly bytesMax: number;
  /** Valid inputs. */
  readonly valid: readonly Bytes[];
  /** An input that is nearly valid in a way of its own. */
  readonly near?: (rng: Rng) => Bytes;
  /** Gives a changed input what it needs to get further: a tag, a checksum. */
  readonly repair?: (bytes: Bytes, rng: Rng) => Bytes;
  /** Heap that one decode may take for each byte of its input. */
  readonly heapPerByte: number;
  /** Beside it, whatever the input: HEAP_BYTES_EACH unless it does more. */
  readonly heapEach?: number;
  /** Throws nothing but what `refuses` tells. */
  readonly decode: (bytes: Bytes) => Verdict | Promise<Verdict>;
  /** Whether an error is a refusal by name. */
  readonly refuses: (error: unknown) => boolean;
}

/** For decoders that never throw. */
export function nothing(): boolean {
  return false;
}

type ErrorClass = abstract new (...given: never[]) => Error;

/** Errors of exactly these classes. */
export function only(
  ...classes: readonly ErrorClass[]
): (error: unknown) => boolean {
  return (error) =>
    error instanceof Error &&
    classes.some((one) => error.constructor === one);
}
