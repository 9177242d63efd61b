import type { Clock } from "../io/clock.ts";
import type { DiskLock } from "../io/disk.ts";
import type { EventLog } from "../io/log.ts";
import type { Random } from "../io/random.ts";
import type { RecordKey } from "../fsm/types.ts";
import type { KeyCustody } from "../keys/port.ts";
import type { Sessions } from "../keys/sessions.ts";
import type { Core } from "../raft/core.ts";
import type { BufferedStore } from "../store/buffered_store.ts";
import type { Kv } from "../io/kv.ts";
import type { Wal } from "../wal/wal.ts";
import type { Checkpoints } from "./checkpoints.ts";
import type { Identity } from "./identity.ts";
import type { StorePlace } from "./store_place.ts";

/** An opened data dir and the world around it. */
export interface NodeParts {
  readonly core: Core;
  readonly wal: Wal;
  readonly store: BufferedStore;
  readonly identity: Identity;
  readonly checkpoints: Checkpoints;
  readonly place: StorePlace;
  readonly openKv: (path: string) => Promise<Kv>;
  /** Opened before the store. */
  readonly custody: KeyCustody;
  /** Of keys in use; `null` on a node that never seals. */
  readonly sessions: Sessions | null;
  /** Held until the node has closed. */
  readonly lock: DiskLock;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: EventLog;
}

/** What the engine tells its node. */
export interface EngineHost {
  /** Records changed; `null` when any may have. */
  changed(keys: readonly RecordKey[] | null): void;
  /** Applied, led by another, ticked: what waits may go on. */
  progressed(): void;
  isReady(): boolean;
  /** It has applied all that was committed when it started. */
  isCaughtUp(): boolean;
  isStopped(): boolean;
  failed(error: unknown): void;
}
