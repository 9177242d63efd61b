import {
  CHANGE_ADD_LEARNER,
  CHANGE_ADD_VOTER,
  CHANGE_REMOVE,
  CHANGE_UPDATE,
  type SingleChange,
} from "../../src/raft/conf_change.ts";

const TYPES: Readonly<Record<string, SingleChange["type"]>> = {
  v: CHANGE_ADD_VOTER,
  l: CHANGE_ADD_LEARNER,
  r: CHANGE_REMOVE,
  u: CHANGE_UPDATE,
};

/** Reads `v1 l2 r3 u4`. */
export function parseChanges(text: string): readonly SingleChange[] {
  const words = text.trim().split(/\s+/).filter((word) => word !== "");
  return words.map((word) => {
    const type = TYPES[word.charAt(0)];
    const id = Number(word.slice(1));
    if (type === undefined || !Number.isSafeInteger(id)) {
      throw new Error(`unknown change ${word}`);
    }
    return { type, id };
  });
}
