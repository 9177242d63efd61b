import type { Run, Seen } from "./state.ts";

/** Who has applied an entry: "applied on 3/3 members", else who has not. */
export function appliedText(
  { snapshot }: Seen,
  { progress }: Run,
  index: bigint,
): string {
  const { members } = snapshot.status;
  const said = new Set(
    progress?.tasks.filter(({ state }) => state === "done")
      .map(({ member }) => member),
  );
  const behind = members.filter(({ name, applied, up }) =>
    !said.has(name) && (!up || applied < index)
  );
  const done = `applied on ${members.length - behind.length}/${members.length}`;
  return behind.length === 0
    ? `${done} members`
    : `${done}, not yet on ${behind.map(({ name }) => name).join(", ")}`;
}
