import { deepEqual, equal, fail, ok } from "node:assert/strict";
import type { CliEnd } from "./cli_process.ts";
import type { ClusterProcess } from "./cluster_process.ts";
import { EncryptedCluster } from "./encrypted_cluster.ts";
import { until } from "./until.ts";

/** What one-way steps ask for. */
export const CLUSTER_NAME = "prod-eu-1";
export const NAMED = ["--cluster-name", CLUSTER_NAME];
const CONFIRM = ["--confirm", CLUSTER_NAME];

/** A step of the rollout: its command, without `sealkv encryption`. */
export type Step = readonly [string, ...string[]];

export const ENABLE_STORAGE: Step = ["enable-storage-envelope", ...CONFIRM];
export const REWRITE: Step = ["rewrite", "--follow", "--json"];
export const SEAL_CLEARTEXT: Step = ["seal-cleartext", ...CONFIRM];
export const ENABLE_RAFT: Step = ["enable-raft-envelope", ...CONFIRM];
export const SCRUB: Step = ["scrub"];

export function rotate(purpose: "storage" | "raft"): Step {
  return ["rotate-dek", "--purpose", purpose];
}

export function retire(keyId: number): Step {
  return ["retire-dek", "--key-id", String(keyId), ...CONFIRM];
}

/**
 * What a step may be refused with while a member is away: each says to give the
 * same command again.
 */
const WHILE_AWAY: readonly string[] = [
  "ADMIN_NO_LEADER",
  "ADMIN_OUTCOME_UNKNOWN",
  "ADMIN_STOPPING",
  "ADMIN_UNREACHABLE",
  "CLI_UNFINISHED",
  "NODE_CAPABILITY_UNPROVEN",
  "NODE_CHANGE_UNDER_WAY",
  "NODE_CUTOVER_ABORTED",
  "NODE_KEY_IN_USE",
  "NODE_MEMBER_CHANGE_REFUSED",
  "NODE_MEMBER_SILENT",
  "NODE_MEMBER_TASK_FAILED",
  "NODE_NOT_LEADER",
  "NODE_NOT_READY",
  "NODE_OUTCOME_UNKNOWN",
];
const STEP_MS_MAX = 120_000;

interface StatusKey {
  readonly id: number;
  readonly purpose: string;
  readonly active: boolean;
}

/** What `encryption status --json` says. */
export interface RolloutStatus {
  readonly agree: boolean;
  readonly phase: number;
  readonly storageCutoverIndex: string;
  readonly raftCutoverIndex: string;
  readonly cleartextLockIndex: string;
  readonly keys: readonly StatusKey[];
  readonly retired: readonly number[];
  readonly members: readonly {
    readonly member: string;
    readonly phase?: number;
  }[];
  /** With `--verify`. */
  readonly records?: readonly {
    readonly member: string;
    readonly state: string;
    readonly cleartext: string | null;
    readonly sealed:
      | readonly { readonly keyId: number; readonly records: string }[]
      | null;
  }[];
}

/** The rollout of encryption as an operator carries it out, by commands. */
export class Rollout {
  readonly encrypted: EncryptedCluster;
  /** Codes of steps that were to be given again, oldest first. */
  readonly repeated: string[] = [];

  constructor(cluster: ClusterProcess) {
    this.encrypted = new EncryptedCluster(cluster);
  }

  get cluster(): ClusterProcess {
    return this.encrypted.cluster;
  }

  /** Gives a step once, whatever comes of it. */
  async give(step: Step): Promise<CliEnd> {
    return await this.encrypted.run("encryption", ...step);
  }

  /**
   * Gives a step until it is done, as its remedies say; every refusal on the
   * way is one that the absence of a member explains.
   */
  async take(step: Step): Promise<string> {
    const text = step.join(" ");
    const end = await until(text, STEP_MS_MAX, async () => {
      const end = await this.give(step);
      if (end.code === 0) return end;
      this.#mayRepeat(text, end);
      await this.cluster.agreed();
      return null;
    });
    return end.stdout;
  }

  /** @throws When the refusal is not one that giving it again helps against. */
  #mayRepeat(text: string, { code, stdout, stderr }: CliEnd): void {
    const name = /^error\[([A-Z_]+)\]: /m.exec(stderr)?.[1] ?? "";
    const said = `${text}: exit ${code}\n${stdout}\n${stderr}`;
    ok(WHILE_AWAY.includes(name), said);
    ok(/^remedy: \S/m.test(stderr), said);
    this.repeated.push(name);
  }

  async status(...flags: readonly string[]): Promise<RolloutStatus> {
    const words = ["encryption", "status", "--json", ...flags];
    const { code, stdout, stderr } = await this.encrypted.run(...words);
    equal(code, 0, stderr);
    return JSON.parse(stdout) as RolloutStatus;
  }

  /** The active key of each purpose. */
  async activeKeys(): Promise<{ storage: number; raft: number }> {
    const { keys } = await this.status();
    const idOf = (purpose: string) =>
      keys.find((key) => key.active && key.purpose === purpose)?.id ??
        fail(`no active ${purpose} key`);
    return { storage: idOf("storage"), raft: idOf("raft") };
  }

  /** Keys that others have replaced. */
  async replacedKeys(): Promise<readonly number[]> {
    const { keys } = await this.status();
    return keys.filter(({ active, purpose }) => !active && purpose !== "state")
      .map(({ id }) => id);
  }

  /** Every record of every member is sealed under the active key. */
  async allSealed(): Promise<void> {
    const { storage } = await this.activeKeys();
    const { records = [] } = await this.status("--verify");
    deepEqual(
      records.map(({ member }) => member).toSorted(),
      [...this.cluster.running].sort(),
    );
    for (const { member, state, cleartext, sealed } of records) {
      equal(state, "done", member);
      equal(cleartext, "0", `cleartext of "${member}"`);
      const keys = sealed?.filter(({ records }) => records !== "0") ?? [];
      deepEqual(keys.map(({ keyId }) => keyId), [storage], member);
    }
  }

  /** Makes a stopped member anew from the others, as its remedy says. */
  async rebuild(name: string): Promise<void> {
    await this.beginRebuild(name);
    await this.hasVote(name);
  }

  /** As `rebuild`; waits for nothing that the others are to send. */
  async beginRebuild(name: string): Promise<void> {
    const { cluster, encrypted } = this;
    const { dataDir } = cluster.place(name);
    const words = ["member", "rebuild", name, "--data-dir", dataDir];
    const { code, stderr } = await encrypted.run(...words, ...CONFIRM);
    equal(code, 0, stderr);
    const args = ["--join", encrypted.admins];
    await cluster.launch(name, { isFounding: false, args });
  }

  /** Waits until a member that joins is one like the others. */
  async hasVote(name: string): Promise<void> {
    const { cluster } = this;
    await cluster.node(name).ready();
    await cluster.statusThat(
      await cluster.leader(),
      `has "${name}" as a voter`,
      ({ members }) =>
        members.some((member) =>
          member.name === name && member.isVoter && member.ready
        ),
    );
    await cluster.agreed();
  }

  /** Phase 2 on every member, with the cleartext locked and old keys gone. */
  async isOver(): Promise<void> {
    await this.encrypted.agreed();
    const status = await this.status();
    ok(status.agree, JSON.stringify(status));
    equal(status.phase, 2);
    for (const { member, phase } of status.members) equal(phase, 2, member);
    ok(status.cleartextLockIndex !== "0");
    ok(status.raftCutoverIndex !== "0");
    await this.allSealed();
  }
}
