import type { AcceptableRisk } from "../../admin/client.ts";

export interface RiskFlags {
  readonly acceptShortDwell?: true | undefined;
  readonly acceptUnrewritten?: true | undefined;
}

/** The risks that flags name; nothing when there is none. */
export function acceptedRisks(
  { acceptShortDwell, acceptUnrewritten }: RiskFlags,
): { readonly accept?: readonly AcceptableRisk[] } {
  const accept: AcceptableRisk[] = [
    ...acceptShortDwell === true ? ["short-dwell" as const] : [],
    ...acceptUnrewritten === true ? ["unrewritten" as const] : [],
  ];
  return accept.length === 0 ? {} : { accept };
}
