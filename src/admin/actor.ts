/** Who a caller says that it is, for the audit log; nobody checks it. */
export const ACTOR_HEADER = "sealkv-actor";
