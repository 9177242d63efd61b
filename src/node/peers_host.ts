import type { Driver } from "./driver.ts";
import type { NodeParts } from "./engine_parts.ts";
import type { ExtraPackets } from "./extra_packets.ts";
import type { PeersHost } from "./peers.ts";
import type { Proposer } from "./proposer.ts";
import { shutOutError } from "./shut_out.ts";

export interface PeersHostParts
  extends Pick<NodeParts, "store" | "checkpoints" | "identity"> {
  /** As `Driver.run`. */
  readonly run: Driver["run"];
  /** Both are made after the links. */
  packets(): ExtraPackets;
  proposer(): Proposer;
  failed(error: unknown): void;
}

/** What links ask and tell a node of these parts. */
export function peersHost(parts: PeersHostParts): PeersHost {
  const { store, checkpoints, identity, run } = parts;
  return {
    state: () => ({
      applied: store.state.applied.index,
      fsm: store.state.fsm,
    }),
    onMessage: (_, message) => run((core) => core.step(message)),
    onPacket: (from, packet) =>
      run(() =>
        packet.kind === "extra"
          ? parts.packets().deliver(from, packet)
          : parts.proposer().onPacket(from, packet)
      ),
    onStream: (from, stream) => checkpoints.onStream(from, stream),
    onLinkUp: (peer) => run(() => parts.proposer().onLinkUp(peer)),
    onLinkDown: (peer) => run((core) => core.reportUnreachable(peer)),
    onShutOut: (refusal) => parts.failed(shutOutError(identity, refusal)),
  };
}
