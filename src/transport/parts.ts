import type { Clock } from "../io/clock.ts";
import type { EventLog } from "../io/log.ts";
import type { Net } from "../io/net.ts";
import type { DraftCounters } from "./counters.ts";
import type { HandshakeParts } from "./handshake.ts";
import type { StrangerLog } from "./stranger_log.ts";

/** TLS of the dialling side, as the port of the network takes it. */
export interface DialTls {
  /** PEM; besides the authorities this machine trusts. */
  readonly ca?: string;
  /** PEM of this node's own certificate, for peers that demand one. */
  readonly cert?: string;
  readonly key?: string;
}

/** What links and acceptor share. */
export interface TransportParts extends HandshakeParts {
  readonly net: Net;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly strangers: StrangerLog;
  readonly counters: DraftCounters;
  readonly dialTls: DialTls | undefined;
}
