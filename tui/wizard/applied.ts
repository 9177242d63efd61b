import type { Seen } from "./state.ts";

/** Who has applied an entry: "applied on 3/3 members", else who has not. */
export function appliedText({ snapshot }: Seen, index: bigint): string {
  const { members } = snapshot.status;
  const behind = members.filter(({ applied, up }) => !up || applied < index);
  const done = `applied on ${members.length - behind.length}/${members.length}`;
  return behind.length === 0
    ? `${done} members`
    : `${done}, not yet on ${behind.map(({ name }) => name).join(", ")}`;
}
