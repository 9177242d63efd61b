import { formatAddress, parseAddress } from "../../base/address.ts";
import { shellWord } from "../../base/shell.ts";

export interface StartPlace {
  readonly node: string;
  /** `null`: the data home's. */
  readonly dataDir: string | null;
  readonly peerAddress: string;
  /** What `--admin` said. */
  readonly admin: string;
}

/** The command that starts a member which the cluster was told to expect. */
export function startLine(
  { node, dataDir, peerAddress, admin }: StartPlace,
): string {
  const join = admin.split(",").flatMap((text) => {
    const address = parseAddress(text.trim().replace(/^https?:\/\//, ""));
    return address === null ? [] : [formatAddress(address)];
  }).join();
  return [
    `sealkv serve --node ${node}`,
    ...dataDir === null ? [] : [`--data-dir ${shellWord(dataDir)}`],
    `--peer-listen ${peerAddress}`,
    ...join === "" ? [] : [`--join ${join}`],
  ].join(" ");
}
