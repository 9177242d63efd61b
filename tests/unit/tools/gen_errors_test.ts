import { deepEqual, match } from "node:assert/strict";
import { ERROR_CODES } from "../../../src/base/error_code.ts";
import { errorClasses, errorsPage } from "../../../tools/gen_errors.ts";
import { OLDER_NAMES } from "../../../tools/older_names.ts";
import { readTree } from "../../../tools/tidy/read_tree.ts";
import { treeOf } from "../../../tools/tidy/source.ts";

const TREE = treeOf(
  new Map([
    [
      "src/base/error_code.ts",
      'export const ERROR_CODES = ["WAL_A", "WAL_B"];',
    ],
    [
      "src/wal/errors.ts",
      `/** Not an error. */
const A = 1;

/**
 * The disk is
 * full.
 *
 * More words.
 */
export class AError extends NodeError {
  override readonly code = "WAL_A";
  override readonly remedy = "Free space, " +
    "then start the node";
}

/** It broke. */
export class BError extends NodeError {
  override readonly code = "WAL_B";
  override readonly remedy: string;
  constructor(readonly path: string) {
    super(\`Cannot read "\${path}"\`);
    this.remedy = isBad ? \`Remove \${path}\` : "Call | us";
  }
}
`,
    ],
  ]),
);

Deno.test("errorClasses() reads code, meaning and remedy", () => {
  deepEqual(
    errorClasses(TREE).map(({ code, meaning, remedy, line }) => [
      code,
      meaning,
      remedy,
      line,
    ]),
    [
      ["WAL_A", "The disk is full.", "Free space, then start the node", 10],
      ["WAL_B", "It broke.", "Remove …; or: Call | us", 17],
    ],
  );
});

Deno.test("errorsPage() has one row a code", () => {
  match(
    errorsPage(TREE),
    /`WAL_A` \| The disk is full\. \| Free .*\n.*`WAL_B` .* Call \\\| us \| {2}\|\n$/,
  );
});

/** Those of the design that this version can raise. */
const OLDER = [
  "ErrBackupMissingSidecar",
  "ErrCapabilityCheckFailed",
  "ErrEncryptedReadIntegrity",
  "ErrEncryptionApply",
  "ErrEncryptionNotBootstrapped",
  "ErrEnvelopeCutoverDivergence",
  "ErrEnvelopeCutoverInProgress",
  "ErrInsecureKEKFile",
  "ErrKEKMismatch",
  "ErrKEKNotConfigured",
  "ErrKEKRequiredWithFlag",
  "ErrKeyConflict",
  "ErrLocalEpochExhausted",
  "ErrLocalEpochOutOfRange",
  "ErrLocalEpochRollback",
  "ErrLogCompactedPastSidecar",
  "ErrNodeIDCollision",
  "ErrPeerNotEncryptionCapable",
  "ErrPeerNotEncryptionRegistered",
  "ErrRaftDEKWALStillReferences",
  "ErrRaftUnwrapFailed",
  "ErrSidecarBehindRaftLog",
  "ErrSidecarPresentWithoutFlag",
  "ErrUnknownKeyID",
  "ErrUnsupportedFilesystem",
  "ErrWriteCountExhausted",
  "ErrWriterNotRegistered",
];

Deno.test("docs/errors.md has a row for every older name", () => {
  const page = readTree().files.get("docs/errors.md") ?? "";
  for (const name of OLDER) {
    match(page, new RegExp(`^\\| .*\\| [^|]*\`${name}\`[^|]* \\|$`, "m"));
  }
});

Deno.test("every older name is of a code that exists, and of one alone", () => {
  const codes: readonly string[] = ERROR_CODES;
  const rows = Object.entries(OLDER_NAMES);
  deepEqual(rows.map(([code]) => code).filter((c) => !codes.includes(c)), []);
  deepEqual(rows.flatMap(([, names]) => names).toSorted(), OLDER);
});
