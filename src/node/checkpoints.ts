import type { Bytes } from "../base/bytes.ts";
import type { LogIndex, RaftId, SnapshotMetadata } from "../raft/types.ts";
import type { PeerStream } from "../transport/port.ts";

export interface CheckpointsHost {
  isLeader(id: RaftId): boolean;
  leads(): boolean;
  matchOf(id: RaftId): LogIndex;
  firstIndex(): LogIndex;
  committed(): LogIndex;
  offer(metadata: SnapshotMetadata): boolean;
  report(peer: RaftId, failed: boolean): void;
  openStream(to: RaftId): Promise<PeerStream>;
  onFatal(error: unknown): void;
}

export class Checkpoints {
  #host: CheckpointsHost | null = null;
  attach(host: CheckpointsHost): void {
    this.#host = host;
  }
  send(to: RaftId, _index: LogIndex): void {
    this.#host?.report(to, true);
  }
  onStream(_from: RaftId, stream: PeerStream): void {
    stream.close();
  }
  install(_metadata: SnapshotMetadata): Promise<void> {
    return Promise.reject(new Error("none"));
  }
  retainFrom(): LogIndex | null {
    return null;
  }
  leadershipChanged(): void {}
  async stop(): Promise<void> {}
  async *backup(): AsyncGenerator<Bytes> {}
}
