import type { KeyPurpose as Purpose } from "../base/data_key.ts";
import { KeyPurpose } from "./gen/encryption_pb.ts";

/** Purposes as requests and answers name them. */
export const PURPOSE_NUMBER: Readonly<Record<Purpose, KeyPurpose>> = {
  storage: KeyPurpose.STORAGE,
  raft: KeyPurpose.RAFT,
  state: KeyPurpose.STATE,
};

export const PURPOSE_NAME: Readonly<Record<KeyPurpose, Purpose | "unknown">> = {
  [KeyPurpose.UNSPECIFIED]: "unknown",
  [KeyPurpose.STORAGE]: "storage",
  [KeyPurpose.RAFT]: "raft",
  [KeyPurpose.STATE]: "state",
};
