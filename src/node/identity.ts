import { type Bytes, fromHex, toHex, utf8 } from "../base/bytes.ts";
import { parentOf } from "../base/path.ts";
import type { Disk } from "../io/disk.ts";
import { IdentityDamagedError } from "./errors.ts";

const DISK_ID_BYTES = 16;
const DIGEST_BYTES = 32;
const FILE_BYTES_MAX = 4_096;

/** Who the node of a data dir is, for as long as the data dir lives. */
export interface Identity {
  readonly name: string;
  /** Raft id. */
  readonly id: number;
  /** 16 bytes, drawn with the data dir. */
  readonly diskId: Bytes;
  /** 32 bytes: of the cluster it founded; zeros when it joined one. */
  readonly foundingDigest: Bytes;
}

/** Reads the identity file; `null` when there is none. */
export async function readIdentity(
  disk: Disk,
  path: string,
): Promise<Identity | null> {
  if (!await disk.exists(path)) return null;
  const file = await disk.open(path, "existing");
  try {
    const bytes = await file.readAt(0, FILE_BYTES_MAX);
    const identity = parseIdentity(new TextDecoder().decode(bytes));
    if (identity === null) throw new IdentityDamagedError(path);
    return identity;
  } finally {
    await file.close();
  }
}

/** Makes the identity file, whole or not at all, durably. */
export async function writeIdentity(
  disk: Disk,
  path: string,
  identity: Identity,
): Promise<void> {
  const draft = `${path}.tmp`;
  await disk.remove(draft);
  const file = await disk.open(draft, "create");
  try {
    await file.writeAndSync(0, utf8(formatIdentity(identity)));
  } finally {
    await file.close();
  }
  await disk.rename(draft, path);
  await disk.syncDir(parentOf(path));
}

/** One object of JSON and a line break. */
export function formatIdentity(identity: Identity): string {
  const { name, id, diskId, foundingDigest } = identity;
  const text = JSON.stringify({
    format: 1,
    name,
    id: String(id),
    disk: toHex(diskId),
    founding: toHex(foundingDigest),
  });
  return `${text}\n`;
}

/** Reads what `formatIdentity` wrote; `null` for anything else. */
export function parseIdentity(text: string): Identity | null {
  const fields =
    /^\{"format":1,"name":"([a-z0-9.-]{1,63})","id":"([1-9][0-9]{0,15})","disk":"([0-9a-f]+)","founding":"([0-9a-f]+)"\}\n$/
      .exec(text);
  if (fields === null) return null;
  const [, name = "", idText, disk = "", founding = ""] = fields;
  const id = Number(idText);
  const diskId = fromHex(disk);
  const digest = fromHex(founding);
  if (!Number.isSafeInteger(id)) return null;
  if (diskId?.length !== DISK_ID_BYTES) return null;
  if (digest?.length !== DIGEST_BYTES) return null;
  return { name, id, diskId, foundingDigest: digest };
}

/** A new identity: another disk under the same name is another one. */
export function drawIdentity(
  random: { bytes(length: number): Bytes },
  given: Omit<Identity, "diskId">,
): Identity {
  return { ...given, diskId: random.bytes(DISK_ID_BYTES) };
}

export const NO_DIGEST: Bytes = new Uint8Array(DIGEST_BYTES);
