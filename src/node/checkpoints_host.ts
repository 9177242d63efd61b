import type { Core } from "../raft/core.ts";
import type { RaftId } from "../raft/types.ts";
import type { PeerStream } from "../transport/port.ts";
import type { Wal } from "../wal/wal.ts";
import type { CheckpointsHost } from "./checkpoints.ts";

export interface CheckpointsHostParts {
  readonly core: Core;
  readonly wal: Wal;
  /** As `Driver.run`. */
  readonly run: (take: (core: Core) => void) => void;
  readonly openStream: (to: RaftId) => Promise<PeerStream>;
  readonly onFatal: (error: unknown) => void;
}

/** What checkpoints ask and tell a node with this core and log. */
export function checkpointsHost(parts: CheckpointsHostParts): CheckpointsHost {
  const { core, wal, run, openStream, onFatal } = parts;
  return {
    isLeader: (id) => core.state.lead === id,
    leads: () => core.state.role === "leader",
    matchOf: (id) => core.members().find((one) => one.id === id)?.match ?? 0,
    firstIndex: () => wal.storage.firstIndex(),
    lastIndex: () => core.state.entryLog.lastIndex(),
    committed: () => core.state.entryLog.committed,
    offer: (metadata) => {
      let isWanted = false;
      run((core) => isWanted = core.offerCheckpoint(metadata));
      return isWanted;
    },
    report: (peer, failed) =>
      run((core) => core.reportSnapshot(peer, { failed })),
    openStream,
    onFatal,
  };
}
