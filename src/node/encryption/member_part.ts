import type { Kv } from "../../io/kv.ts";
import type { LogIndex } from "../../raft/types.ts";
import type { RestTask } from "../applier.ts";
import type { Compaction } from "../compaction.ts";
import type {
  MemberScan,
  MemberTask,
  RecordCounts,
} from "../encryption_port.ts";
import type { NodeParts } from "../engine_parts.ts";
import { NotReadyError } from "../errors.ts";
import type { ExtraPackets } from "../extra_packets.ts";
import { MemberUnknownError, NotLeaderError } from "../member_errors.ts";
import type { AskedMember, LongChanges } from "./long_changes.ts";
import { MemberWork } from "./member_work.ts";
import type { RaftCutover } from "./raft_cutover.ts";
import { Rewriter } from "./rewriter.ts";
import { scrubMember } from "./scrub.ts";
import { MemberTasks } from "./tasks/member_tasks.ts";
import {
  decodeTaskAsk,
  decodeTaskReport,
  encodeTaskAsk,
  encodeTaskReport,
} from "./tasks/packet.ts";
import { type TaskControl, TaskRunner } from "./tasks/runner.ts";
import { performTask, totalOf } from "./tasks/work.ts";

const TOPIC_TASK_ASK = 3;
const TOPIC_TASK_REPORT = 4;

export interface MemberPartParts extends
  Pick<
    NodeParts,
    | "identity"
    | "core"
    | "wal"
    | "store"
    | "custody"
    | "checkpoints"
    | "place"
    | "clock"
    | "random"
    | "log"
  > {
  readonly openKv: (path: string) => Promise<Kv>;
  readonly packets: ExtraPackets;
  readonly compaction: Compaction;
  /** Runs `task` while nothing is applied. */
  rest(task: RestTask): Promise<void>;
  isStopped(): boolean;
  failed(error: unknown): void;
}

/**
 * A member's part in what all members do for encryption: the rewrite job, and
 * tasks that the leader gives; and, on the leader, giving them.
 */
export class MemberPart {
  /** Steps of the leader that every member has a part in. */
  readonly work: MemberWork;
  readonly #parts: MemberPartParts;
  readonly #runner: TaskRunner;
  readonly #rewriter: Rewriter;
  #counts: RecordCounts | null = null;
  /** End of the scrubs in line; never fails. */
  #scrubbing: Promise<void> = Promise.resolve();

  constructor(parts: MemberPartParts) {
    const { identity, core, packets, store, custody } = parts;
    this.#parts = parts;
    const counted = (counts: RecordCounts) => void (this.#counts = counts);
    this.#rewriter = new Rewriter({
      ...parts,
      counted,
      sidecarKey: () => custody.activeKey("storage"),
      failed: (error) => parts.failed(error),
    });
    this.#runner = this.#makeRunner(counted);
    const tasks = new MemberTasks({
      ...parts,
      self: identity.id,
      send: (to, ask) => packets.send(to, TOPIC_TASK_ASK, encodeTaskAsk(ask)),
      answer: (ask) => this.#runner.onAsk(ask),
    });
    this.work = new MemberWork({
      self: identity.id,
      tasks,
      state: () => store.state.fsm.encryption,
      rollout: () => store.state.fsm.rollout,
      applied: () => store.state.applied.index,
      lastIndex: () => core.state.entryLog.lastIndex(),
    });
    packets.on(TOPIC_TASK_ASK, (from, body) => {
      const ask = decodeTaskAsk(body);
      if (ask === null || core.state.lead !== from) return;
      const report = encodeTaskReport(this.#runner.onAsk(ask));
      packets.send(from, TOPIC_TASK_REPORT, report);
    });
    packets.on(TOPIC_TASK_REPORT, (from, body) => {
      const report = decodeTaskReport(body);
      if (report !== null) tasks.onReport(from, report);
    });
  }

  /** Records of this member as it last counted them; `null` for never. */
  get counts(): RecordCounts | null {
    return this.#counts;
  }

  /** How the rewrite job gets on here. */
  get rewriteState(): MemberTask["state"] {
    return this.#rewriter.progress().state;
  }

  /** Records that the rewrite job has yet to seal here; 0 without a job. */
  get rewriteRemaining(): number {
    const { done, total } = this.#rewriter.progress();
    return Math.max(total - done, 0);
  }

  start(): void {
    this.#rewriter.start();
  }

  /** Entries were applied, or a checkpoint. */
  progressed(): void {
    this.#rewriter.progressed();
  }

  /** Resolves when nothing of it is under way. */
  async stop(): Promise<void> {
    await Promise.all([this.#runner.stop(), this.#rewriter.stop()]);
  }

  /** Steps that take long, the barrier of phase 2 being another's. */
  longChanges(cutover: Pick<RaftCutover, "run">): LongChanges {
    const { work } = this;
    return {
      enableRaftEnvelope: (term) => cutover.run(term),
      sealCleartext: (context) => work.sealCleartext(context),
      retireDek: (keyId, context) => work.retireDek(keyId, context),
      scrub: (members, context) => work.scrub(members, context),
    };
  }

  /** As `EncryptionPort.rewriteProgress`. */
  async rewriteProgress(): Promise<readonly MemberTask[]> {
    const { core, store } = this.#parts;
    this.#mustLead();
    // It may know an older job than what earlier leaders got committed.
    if (store.state.applied.term !== core.state.term) {
      throw new NotReadyError("the leader has yet to apply its first entry");
    }
    return await this.work.rewriteProgress(
      this.#members([]),
      () => this.#mustLead(),
    );
  }

  /** As `EncryptionPort.scanRecords`. */
  scanRecords(names: readonly string[]): AsyncIterable<readonly MemberScan[]> {
    this.#mustLead();
    return this.work.scanRecords(
      this.#members(names),
      () => this.#mustLead(),
    );
  }

  #makeRunner(counted: (counts: RecordCounts) => void): TaskRunner {
    const { store, wal, checkpoints } = this.#parts;
    const forgetLog = (index: LogIndex, control: TaskControl) =>
      this.#forgetLog(index, control);
    return new TaskRunner({
      ...this.#parts,
      perform: (spec, control) =>
        performTask(
          {
            ...{ store, wal, counted, forgetLog },
            expectedRecords: () =>
              this.#counts === null ? 0 : totalOf(this.#counts),
            scrub: (control) =>
              this.#inLine(() =>
                scrubMember({
                  ...this.#parts,
                  forgetLog,
                  openStore: (path) => checkpoints.openStore(path),
                  removeCheckpoints: (index) => checkpoints.removeBelow(index),
                  rest: (task) => this.#rest(task),
                  failed: (error) => this.#parts.failed(error),
                }, control)
              ),
          },
          spec,
          control,
        ),
      applied: () => store.state.applied.index,
      rewrite: () => this.#rewriter.progress(),
      failed: (error) => this.#parts.failed(error),
    });
  }

  /** One that another leader began may go on still. */
  async #inLine(scrub: () => Promise<void>): Promise<void> {
    const scrubbed = this.#scrubbing.then(scrub);
    this.#scrubbing = scrubbed.catch(() => {});
    await scrubbed;
  }

  async #rest(task: RestTask): Promise<void> {
    await this.#parts.rest((halt) => this.#rewriter.rest(() => task(halt)));
  }

  async #forgetLog(index: LogIndex, control: TaskControl): Promise<void> {
    const { store, compaction } = this.#parts;
    await compaction.forget(index, async (isEnough) => {
      for (;;) {
        if (control.isOver()) return null;
        await store.flush();
        if (isEnough(store.durable)) return store.durable;
        await control.sleep(FORGET_WAIT_MS);
      }
    });
  }

  /** @throws {MemberUnknownError} */
  #members(names: readonly string[]): readonly AskedMember[] {
    const { store, identity } = this.#parts;
    const known = [...store.state.fsm.members.values()];
    const all = known.length === 0 ? [identity] : known;
    const unknown = names.find((name) => !all.some((one) => one.name === name));
    if (unknown !== undefined) throw new MemberUnknownError(unknown);
    return all.filter(({ name }) => names.length === 0 || names.includes(name))
      .map(({ id, name }) => ({ id, name }));
  }

  /** @throws {NotLeaderError} @throws {NotReadyError} */
  #mustLead(): void {
    const { core, store } = this.#parts;
    if (this.#parts.isStopped()) {
      throw new NotReadyError("the node is stopping");
    }
    const { role, lead } = core.state;
    if (role === "leader") return;
    const leader = store.state.fsm.members.get(lead);
    throw new NotLeaderError(leader?.name ?? "", leader?.adminAddress ?? "");
  }
}

/** Between two looks at how far the store is durable. */
const FORGET_WAIT_MS = 50;
