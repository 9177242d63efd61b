import { ADMIN_TOKEN } from "./node_process.ts";
import { until } from "./until.ts";

const STATE_PATH = "/sealkv.admin.v1.EncryptionAdmin/GetEncryptionState";
const REGISTERED_MS_MAX = 60_000;

/** A key as one member sees it; what is zero is left out. */
interface SeenKey {
  readonly id: number;
  readonly purpose: string;
  readonly active?: boolean;
  readonly keks: readonly string[];
  readonly writers?: readonly {
    readonly member: string;
    readonly lastEpoch?: number;
  }[];
}

/** Encryption as one member sees it, as JSON over HTTP. */
export interface SeenEncryption {
  readonly stateIndex?: string;
  readonly keys?: readonly SeenKey[];
  readonly own: {
    readonly sidecarIndex?: string;
    readonly epochs?: readonly {
      readonly keyId: number;
      readonly epoch: number;
    }[];
  };
}

/** Asks one member, as any program may. */
export async function encryptionAt(admin: string): Promise<SeenEncryption> {
  const response = await fetch(`http://${admin}${STATE_PATH}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${ADMIN_TOKEN}`,
      "content-type": "application/json",
    },
    body: "{}",
  });
  if (response.ok) return await response.json();
  throw new Error(`${response.status}: ${await response.text()}`);
}

/**
 * Waits until the registry that a member has applied shows its own epoch of
 * every active key; returns those epochs by key.
 */
export async function registered(
  admin: string,
  name: string,
): Promise<ReadonlyMap<number, number>> {
  return await until(`${name} is registered`, REGISTERED_MS_MAX, async () => {
    const { keys = [], own } = await encryptionAt(admin);
    const epochs = new Map(
      (own.epochs ?? []).map(({ keyId, epoch }) => [keyId, epoch]),
    );
    const active = keys.filter((key) => key.active === true);
    const isDone = active.length > 0 &&
      active.every(({ id, writers = [] }) =>
        writers.some(({ member, lastEpoch = 0 }) =>
          member === name && lastEpoch === epochs.get(id)
        )
      );
    return isDone ? epochs : null;
  });
}
