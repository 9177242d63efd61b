import { NodeError } from "../../base/error.ts";
import { shellWord } from "../../base/shell.ts";

/** Where a guard stands: what its remedies name. */
export interface GuardPlace {
  readonly dataDir: string;
  readonly node: string;
}

/** Encryption was used here, and this start leaves it out. */
export class SidecarWithoutFlagError extends NodeError {
  override readonly name = "SidecarWithoutFlagError";
  override readonly code = "NODE_SIDECAR_WITHOUT_FLAG";
  override readonly remedy: string;

  constructor(place: GuardPlace) {
    super(
      `Cannot start without --encryption-enabled as the cluster has data keys: ` +
        `their sidecar is in "${place.dataDir}"`,
    );
    this.remedy = `Start it as before: \`${serveLine(place)}\``;
  }
}

/** Encryption is on and there is nothing to open keys with. */
export class KekRequiredError extends NodeError {
  override readonly name = "KekRequiredError";
  override readonly code = "NODE_KEK_REQUIRED";
  override readonly remedy: string;

  constructor(place: GuardPlace) {
    super(
      "Cannot start with --encryption-enabled as it needs a KEK: " +
        "current value of --kek is none",
    );
    this.remedy = `Give the cluster's KEK: \`${serveLine(place)}\`; ` +
      "`sealkv kek generate --out FILE` makes the first one of a cluster";
  }
}

/** Sealed data, or its keys, without this node's own file of keys. */
export class SidecarMissingError extends NodeError {
  override readonly name = "SidecarMissingError";
  override readonly code = "NODE_SIDECAR_MISSING";
  override readonly remedy: string;

  constructor(place: GuardPlace) {
    super(
      "Cannot start as the store has data keys and their sidecar is gone: " +
        `current value of "${place.dataDir}/encryption/keys.json" is none`,
    );
    this.remedy = `Put the file back, or make it from the store: \`${
      resyncLine(place)
    }\``;
  }
}

/** The sidecar is older than the store: an old file was put back. */
export class SidecarBehindError extends NodeError {
  override readonly name = "SidecarBehindError";
  override readonly code = "NODE_SIDECAR_BEHIND";
  override readonly remedy: string;

  constructor(
    place: GuardPlace,
    readonly indexes: { readonly sidecar: number; readonly store: number },
  ) {
    super(
      `Cannot start with a sidecar that is older than the store: it has ` +
        `entry ${indexes.sidecar}, the store has entry ${indexes.store}`,
    );
    this.remedy = `Make the sidecar from the store: \`${resyncLine(place)}\``;
  }
}

/** Sidecar and data tell two stories of one cluster. */
export class CutoverDivergenceError extends NodeError {
  override readonly name = "CutoverDivergenceError";
  override readonly code = "NODE_CUTOVER_DIVERGENCE";
  override readonly remedy: string;

  constructor(
    place: GuardPlace,
    readonly divergence: {
      /** As "the store". */
      readonly part: string;
      /** As "storage cutover index". */
      readonly field: string;
      readonly sidecar: string;
      readonly found: string;
    },
  ) {
    const { part, field, sidecar, found } = divergence;
    super(
      `Cannot start as sidecar and ${part} do not agree on the ${field}: ` +
        `the sidecar has ${sidecar}, ${part} has ${found}`,
    );
    this.remedy = `Have this member made anew by the others: \`${
      rebuildLine(place)
    }\``;
  }
}

/** Makes the sidecar anew, offline. */
function resyncLine({ dataDir }: GuardPlace): string {
  return `sealkv encryption resync-sidecar --data-dir ${
    shellWord(dataDir)
  } --kek URI`;
}

/** Makes the member anew from the others. */
function rebuildLine({ dataDir, node }: GuardPlace): string {
  return `sealkv member rebuild ${node} --data-dir ${
    shellWord(dataDir)
  } --admin ADDR`;
}

function serveLine({ dataDir, node }: GuardPlace): string {
  return `sealkv serve --node ${node} --data-dir ${
    shellWord(dataDir)
  } --encryption-enabled --kek URI`;
}
