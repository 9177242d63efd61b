import { callAdmin } from "./admin_call.ts";

export interface SeenKey {
  readonly id: number;
  /** As the admin RPC names it, in lower case. */
  readonly purpose: string;
  readonly active: boolean;
  readonly createdIndex: number;
  readonly keks: readonly string[];
  /** Last epoch by member. */
  readonly writers: ReadonlyMap<string, number>;
}

/** Encryption as one member sees it. */
export interface SeenEncryption {
  readonly node: string;
  /** All that members agree on once they applied the same; registry and all. */
  readonly shared: string;
  readonly stateIndex: number;
  readonly keys: readonly SeenKey[];
  readonly own: {
    readonly enabled: boolean;
    readonly kekIds: readonly string[];
    readonly sidecarIndex: number;
    /** By key. */
    readonly epochs: ReadonlyMap<number, number>;
  };
}

/** `null` when the member does not answer. */
export async function encryptionAt(
  admin: string,
): Promise<SeenEncryption | null> {
  try {
    const { status, reply } = await callAdmin(
      admin,
      "EncryptionAdmin/GetEncryptionState",
    );
    return status === 200 ? encryptionOf(reply) : null;
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** What is zero is left out of the JSON. */
function encryptionOf(reply: Fields): SeenEncryption {
  const { node, applied: _, own, ...shared } = reply;
  const { enabled, kekIds, sidecarIndex, epochs } = (own ?? {}) as Fields;
  return {
    node: String(node),
    shared: JSON.stringify(shared),
    stateIndex: Number(reply["stateIndex"] ?? 0),
    keys: listOf(reply["keys"]).map(keyOf),
    own: {
      enabled: enabled === true,
      kekIds: (kekIds ?? []) as readonly string[],
      sidecarIndex: Number(sidecarIndex ?? 0),
      epochs: new Map(
        listOf(epochs).map((
          one,
        ) => [Number(one["keyId"]), Number(one["epoch"])]),
      ),
    },
  };
}

function keyOf(key: Fields): SeenKey {
  return {
    id: Number(key["id"]),
    purpose: String(key["purpose"]).replace("KEY_PURPOSE_", "").toLowerCase(),
    active: key["active"] === true,
    createdIndex: Number(key["createdIndex"] ?? 0),
    keks: (key["keks"] ?? []) as readonly string[],
    writers: new Map(
      listOf(key["writers"]).map((writer) => [
        String(writer["member"] ?? ""),
        Number(writer["lastEpoch"] ?? 0),
      ]),
    ),
  };
}

function listOf(value: unknown): readonly Fields[] {
  return (value ?? []) as readonly Fields[];
}
