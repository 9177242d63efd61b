import { createContextKey, type HandlerContext } from "@connectrpc/connect";

/** Who a caller says that it is, for audit and history; nobody checks it. */
export const ACTOR_HEADER = "sealkv-actor";
/** As much as the cluster's history keeps of it. */
export const ACTOR_LENGTH_MAX = 64;

/** Where a request came from; "" when nobody said it. */
export const CALLER_ADDRESS = createContextKey("");

/** Who asks, as it claims; else the address that it calls from. */
export function actorOf(
  { requestHeader, values }: Pick<HandlerContext, "requestHeader" | "values">,
): string {
  const claimed = visible(requestHeader.get(ACTOR_HEADER) ?? "");
  const actor = claimed === "" ? values.get(CALLER_ADDRESS) : claimed;
  return actor.slice(0, ACTOR_LENGTH_MAX);
}

/** Without what could pass for another line or move a terminal's cursor. */
export function visible(text: string): string {
  return text.replaceAll(/[^\x21-\x7e]/g, "");
}
