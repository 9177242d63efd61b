import type { TransportCounters } from "./port.ts";

/** Counts that grow where things happen. */
export type DraftCounters = {
  -readonly [Field in keyof TransportCounters]: TransportCounters[Field];
};

export function zeroCounters(): DraftCounters {
  return {
    messagesSent: 0,
    messagesReceived: 0,
    messagesDropped: 0,
    bytesSent: 0,
    bytesReceived: 0,
    connects: 0,
    refusals: 0,
  };
}
