import type { KeyId } from "../base/data_key.ts";
import type { Kv } from "../io/kv.ts";
import { Backing } from "./backing.ts";
import { decodeMeta, EMPTY_STATE, type StoreState } from "./meta.ts";
import { readEncryption, readMembers, readRollout } from "./open.ts";
import { META_KEY } from "./row_key.ts";
import { highestEpochs, readSessions } from "./sessions.ts";

/** What a store says of itself, its records and databases left out. */
export interface StorePeek {
  readonly state: StoreState;
  /** Highest epoch that has a session row, by key. */
  readonly sessionEpochs: ReadonlyMap<KeyId, number>;
}

/**
 * Reads the state of the store in `kv`, which it closes, and changes nothing: a
 * commit that a crash cut short stays as it is, before or behind its end.
 *
 * @throws {NodeError} As `Store.open`.
 */
export async function peekStore(kv: Kv | Promise<Kv>): Promise<StorePeek> {
  const backing = await Backing.open(kv);
  try {
    const sessionEpochs = highestEpochs(await readSessions(backing));
    const [meta] = await backing.get([META_KEY]);
    if (meta === null || meta === undefined) {
      return { state: EMPTY_STATE, sessionEpochs };
    }
    const { state, hasEncryption } = decodeMeta(meta, new Map());
    const stored = await readEncryption(backing, hasEncryption);
    const members = await readMembers(backing);
    const rollout = await readRollout(backing);
    const { encryption, encryptionMac } = stored;
    const fsm = { ...state.fsm, members, encryption, rollout };
    return { state: { ...state, fsm, encryptionMac }, sessionEpochs };
  } finally {
    backing.close();
  }
}
