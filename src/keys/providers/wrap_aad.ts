import type { Bytes } from "../../base/bytes.ts";
import { challengeAad, dekWrapAad } from "../../crypto/kek_wrap.ts";
import type { WrapContext } from "../port.ts";

/** What a wrap is bound to, as associated data (docs/keks.md). */
export function wrapAad(context: WrapContext): Bytes {
  return context.kind === "dek" ? dekWrapAad(context) : challengeAad(context);
}
