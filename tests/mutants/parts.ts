import { listed, type Mutant } from "./mutant.ts";
import { MUTANTS as RAFT_MUTANTS } from "./raft_mutants.ts";
import CLUSTER_MUTANTS from "./cluster.json" with {
  type: "json",
};
import ENCRYPTION_MUTANTS from "./encryption.json" with {
  type: "json",
};
import CHANGES_MUTANTS from "./encryption_changes.json" with {
  type: "json",
};
import KEY_MUTANTS from "./keys.json" with { type: "json" };
import ROLLOUT_MUTANTS from "./rollout.json" with { type: "json" };
import WAL_MUTANTS from "./wal.json" with { type: "json" };

const HERE = new URL("./", import.meta.url).pathname;
const RAFT_DIR = "src/raft/";
const SIM_SEEDS = 1_500;
const CLUSTER_SEEDS = 100;
const KEY_SEEDS = 40;
const ROLLOUT_SEEDS = 25;

/** Tests that are run together. */
export interface Layer {
  readonly name: string;
  readonly args: readonly string[];
  /** How long it may take; measured without a mutant. */
  msMax: number;
}

/** Cheapest first. */
const RAFT_LAYERS: readonly Layer[] = [
  {
    name: "transcripts",
    msMax: Infinity,
    args: ["test", "-A", "--no-check", "--quiet", "tests/scenario"],
  },
  {
    name: "unit",
    msMax: Infinity,
    args: [
      "test",
      "-A",
      "--no-check",
      "--quiet",
      "tests/unit/raft",
      "tests/vectors/raft_tracker_test.ts",
      "tests/fuzz/raft_conf_change_test.ts",
    ],
  },
  {
    name: "sim",
    msMax: Infinity,
    args: [
      "run",
      "-A",
      "--no-check",
      "tests/sim/main.ts",
      "--raft",
      "--stop",
      "--seeds",
      `${SIM_SEEDS}`,
    ],
  },
];

function testLayer(name: string, ...tests: readonly string[]): Layer {
  const args = ["test", "-A", "--no-check", "--quiet", ...tests];
  return { name, msMax: Infinity, args };
}

const WAL_LAYERS: readonly Layer[] = [
  testLayer("unit", "tests/unit/wal"),
  testLayer("crash", "tests/sim/wal_crash_test.ts"),
  testLayer("damage", "tests/sim/wal_damage_test.ts"),
];

const ENCRYPTION_LAYERS: readonly Layer[] = [
  testLayer("walk", "tests/unit/fsm/encryption_walk_test.ts"),
  testLayer("unit", "tests/unit/fsm"),
  testLayer("fuzz", "tests/fuzz/fsm_encryption_test.ts"),
];

const CHANGES_TESTS = "tests/unit/node/encryption/";
const CHANGES_LAYERS: readonly Layer[] = [
  testLayer(
    "alone",
    ...[
      "capability_answer",
      "change_lock",
      "change_plan",
      "fan_out",
      "foreseen",
      "worn_keys",
    ].map((name) => `${CHANGES_TESTS}${name}_test.ts`),
  ),
  testLayer("calls", `${CHANGES_TESTS}changes_test.ts`),
  testLayer("races", `${CHANGES_TESTS}changes_races_test.ts`),
  testLayer("life", `${CHANGES_TESTS}key_life_test.ts`),
];

function clusterLayer(
  seeds: number,
  name = "cluster",
  ...more: readonly string[]
): Layer {
  const args = ["run", "-A", "--no-check", "tests/sim/main.ts", "--stop"];
  return {
    name,
    msMax: Infinity,
    args: [...args, "--seeds", `${seeds}`, ...more],
  };
}

const CLUSTER_LAYERS: readonly Layer[] = [clusterLayer(CLUSTER_SEEDS)];

const KEY_LAYERS: readonly Layer[] = [
  clusterLayer(KEY_SEEDS),
  testLayer("images", "tests/sim/cluster/encryption"),
];

const ROLLOUT_LAYERS: readonly Layer[] = [
  clusterLayer(ROLLOUT_SEEDS, "rollout", "--only", "rollout"),
  testLayer("images", "tests/sim/cluster/rollout/rollout_test.ts"),
  testLayer(
    "unit",
    "tests/unit/node/raft_sealing",
    "tests/unit/node/proposer_sealing_test.ts",
    "tests/unit/node/encryption/raft_cutover_test.ts",
    "tests/unit/node/encryption/sealed_checkpoints_test.ts",
    "tests/unit/keys/sessions_test.ts",
    "tests/unit/store/rewrite_test.ts",
    "tests/unit/store/rewrite_property_test.ts",
  ),
];

/** What is broken, and by which tests it should be noticed. */
export interface Part {
  readonly title: string;
  /** Files from the project's root. */
  readonly mutants: readonly Mutant[];
  readonly layers: readonly Layer[];
  readonly results: string;
}

/** What `deno task mutants --part` names. */
export const PARTS: Readonly<Record<string, Part>> = {
  raft: {
    title: "the raft core",
    mutants: RAFT_MUTANTS.map((mutant) => ({
      ...mutant,
      file: `${RAFT_DIR}${mutant.file}`,
    })),
    layers: RAFT_LAYERS,
    results: `${HERE}RESULTS.md`,
  },
  wal: {
    title: "the log",
    mutants: listed(WAL_MUTANTS),
    layers: WAL_LAYERS,
    results: `${HERE}RESULTS_WAL.md`,
  },
  cluster: {
    title: "whole nodes",
    mutants: listed(CLUSTER_MUTANTS),
    layers: CLUSTER_LAYERS,
    results: `${HERE}RESULTS_CLUSTER.md`,
  },
  keys: {
    title: "what nodes do with keys",
    mutants: listed(KEY_MUTANTS),
    layers: KEY_LAYERS,
    results: `${HERE}RESULTS_KEYS.md`,
  },
  rollout: {
    title: "cutovers, and what comes after",
    mutants: listed(ROLLOUT_MUTANTS),
    layers: ROLLOUT_LAYERS,
    results: `${HERE}RESULTS_ROLLOUT.md`,
  },
  encryption: {
    title: "the decisions about encryption",
    mutants: listed(ENCRYPTION_MUTANTS),
    layers: ENCRYPTION_LAYERS,
    results: `${HERE}RESULTS_ENCRYPTION.md`,
  },
  changes: {
    title: "changes of encryption",
    mutants: listed(CHANGES_MUTANTS),
    layers: CHANGES_LAYERS,
    results: `${HERE}RESULTS_CHANGES.md`,
  },
};
