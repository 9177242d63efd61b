import type { ErrorCode } from "../../base/error_code.ts";
import type { NodeError } from "../../base/error.ts";
import {
  KekRequiredError,
  SidecarBehindError,
  SidecarMissingError,
  SidecarWithoutFlagError,
} from "./errors.ts";
import type { GuardFacts, Reading, StoreFacts } from "./facts.ts";
import type { Guard } from "./guard.ts";
import { knownOf } from "./reading.ts";

/** Whether the keys are what this start needs, and open. */
export const KEY_GUARDS: readonly Guard[] = [
  {
    name: "SidecarPresentWithoutFlag",
    reads: ["sidecar"],
    check: (facts) =>
      !facts.isEnabled && isPresent(facts.sidecar)
        ? new SidecarWithoutFlagError(facts)
        : null,
  },
  {
    name: "KekRequired",
    reads: [],
    check: (facts) =>
      facts.isEnabled && facts.kekCount === 0
        ? new KekRequiredError(facts)
        : null,
  },
  {
    name: "InsecureKekFile",
    reads: ["keks"],
    check: ({ keks }) => failureOf(keks, (code) => code === KEK_INSECURE),
  },
  {
    name: "KekUnavailable",
    reads: ["keks", "custody"],
    check: ({ keks, custody }) =>
      failureOf(keks, (code) => code !== KEK_INSECURE) ??
        failureOf(custody, (code) => code === KEK_UNAVAILABLE),
  },
  {
    name: "UnsupportedFilesystem",
    reads: ["filesystem"],
    check: ({ filesystem }) => failureOf(filesystem, () => true),
  },
  {
    name: "SidecarMissing",
    reads: ["sidecar", "store"],
    check: checkMissing,
  },
  {
    name: "SidecarMalformed",
    reads: ["sidecar"],
    check: ({ sidecar }) => failureOf(sidecar, () => true),
  },
  {
    name: "KekMismatch",
    reads: ["custody"],
    check: ({ custody }) =>
      failureOf(custody, (code) => MISMATCHES.includes(code)),
  },
  {
    name: "SidecarTampered",
    reads: ["custody"],
    check: ({ custody }) =>
      failureOf(
        custody,
        (code) => code !== KEK_UNAVAILABLE && !MISMATCHES.includes(code),
      ),
  },
  {
    name: "StoreStateTampered",
    reads: ["storeMac"],
    check: ({ storeMac }) => failureOf(storeMac, () => true),
  },
];

/** After the keys themselves have been found sound. */
export const SIDECAR_BEHIND: Guard = {
  name: "SidecarBehindRaftLog",
  reads: ["sidecar", "store"],
  check: (facts) => {
    const sidecar = knownOf(facts.sidecar)?.shared.stateIndex;
    const store = knownOf(facts.store)?.encryption.stateIndex ?? 0;
    return sidecar === undefined || sidecar >= store
      ? null
      : new SidecarBehindError(facts, { sidecar, store });
  },
};

const KEK_INSECURE: ErrorCode = "KEYS_KEK_INSECURE";
const KEK_UNAVAILABLE: ErrorCode = "KEYS_KEK_UNAVAILABLE";
/** No wrap of a key names a KEK of this node, or none of those opens. */
const MISMATCHES: readonly ErrorCode[] = [
  "KEYS_KEK_MISMATCH",
  "KEYS_WRAP_REJECTED",
];

function failureOf(
  reading: Reading<unknown>,
  isOurs: (code: ErrorCode) => boolean,
): NodeError | null {
  return reading.kind === "failed" && isOurs(reading.error.code)
    ? reading.error
    : null;
}

/** Also one that does not parse. */
function isPresent({ kind, ...rest }: GuardFacts["sidecar"]): boolean {
  return kind === "failed" ||
    (kind === "known" && "value" in rest && rest.value !== null);
}

function checkMissing(facts: GuardFacts): SidecarMissingError | null {
  const { sidecar } = facts;
  const isGone = sidecar.kind === "known" && sidecar.value === null;
  const store = knownOf(facts.store);
  return isGone && store !== null && isSealed(store)
    ? new SidecarMissingError(facts)
    : null;
}

/** A record is sealed under a session, and a session has a row. */
function isSealed({ encryption, sessionEpochs }: StoreFacts): boolean {
  return encryption.keys.size > 0 || encryption.storageCutoverIndex > 0 ||
    sessionEpochs.size > 0;
}
