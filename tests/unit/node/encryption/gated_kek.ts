import type { Bytes } from "../../../../src/base/bytes.ts";
import type { Kek, WrapContext } from "../../../../src/keys/port.ts";
import { TestKek } from "../../keys/test_kek.ts";

/** A KEK whose calls a test can hold up, count or let fail. */
export class GatedKek implements Kek {
  readonly id: string;
  readonly kek: TestKek;
  /** Called first; of what kind the secret is. */
  beforeWrap: (context: WrapContext) => Promise<void> | void = () => {};
  beforeUnwrap: (context: WrapContext) => Promise<void> | void = () => {};
  /** Makes something else of a wrap. */
  bend: (wrapped: Bytes, context: WrapContext) => Bytes = (wrapped) => wrapped;

  private constructor(kek: TestKek) {
    this.kek = kek;
    this.id = kek.id;
  }

  static async of(byte: number): Promise<GatedKek> {
    return new GatedKek(await TestKek.of(byte));
  }

  async wrap(secret: Bytes, context: WrapContext): Promise<Bytes> {
    await this.beforeWrap(context);
    return this.bend(await this.kek.wrap(secret, context), context);
  }

  async unwrap(wrapped: Bytes, context: WrapContext): Promise<Bytes> {
    await this.beforeUnwrap(context);
    return await this.kek.unwrap(wrapped, context);
  }
}
