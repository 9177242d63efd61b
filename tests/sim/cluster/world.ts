import { NodeError } from "../../../src/base/error.ts";
import type { AtomicWrite } from "../../../src/fsm/types.ts";
import { settle, settleBetween, SimClock } from "../io/clock.ts";
import { fail } from "../raft/checkers.ts";
import { Dice, foldHash, hashText } from "../raft/dice.ts";
import { Asking } from "./ask.ts";
import { FaultAtlas } from "./atlas.ts";
import { auditApplied, auditContent } from "./audit.ts";
import { AnswerChecker, type EndedAttempt } from "./checkers/answers.ts";
import { checkRead, type EndedRead } from "./checkers/reads.ts";
import { ReplicaChecker } from "./checkers/replicas.ts";
import { TermChecker } from "./checkers/terms.ts";
import { Client } from "./client.ts";
import { KeyFaults } from "./encryption/key_faults.ts";
import { KeyOperator } from "./encryption/key_operator.ts";
import { forgets } from "./encryption/key_swarm.ts";
import { KeyWatch } from "./encryption/key_watch.ts";
import { NonceLedger } from "./encryption/nonce_ledger.ts";
import { Faults } from "./faults.ts";
import { History } from "./history.ts";
import { Host, type Past } from "./host.ts";
import type { Life, LifeHost } from "./life.ts";
import { Network } from "./network.ts";
import { Operator } from "./operator.ts";
import { AimedFaults } from "./rollout/aimed_faults.ts";
import { CanaryWatch } from "./rollout/canary_watch.ts";
import { serveAgain } from "./recovery.ts";
import type { NodeStatus } from "../../../src/node/port.ts";
import type { OpenSimNode, SimNodeOptions } from "./sim_node.ts";
import type { Swarm } from "./swarm.ts";
import { FOUNDING_INDEX, Truth } from "./truth.ts";

/** When what happens, in virtual ms. */
const FAULTS_FROM_MS = 2_000;
const FAULTS_UNTIL_MS = 42_000;
/** After the faults: how long the operator may take, then the last answers. */
const PEACE_MS = { clients: 10_000, end: 8_000 } as const;
const ROLLOUT_PEACE_MS = { clients: 60_000, end: 8_000 } as const;
const LOOK_MS = 500;
const AUDIT_EVERY_MS = 5_000;
/** Its standing is looked at in every so many tasks of a node. */
const TASKS_PER_LOOK = 32;

export interface WorldOptions {
  readonly swarm: Swarm;
  readonly open: OpenSimNode;
  /** Keeps the lines of what happens. */
  readonly isTracing: boolean;
  /** Looks only at what clients saw, as from outside. */
  readonly onlyHistory: boolean;
  /** Every seal of this world, and of others that share its past. */
  readonly ledger: NonceLedger;
  /** What all begins with. */
  readonly past: Past | null;
  /** When all disks are cloned. */
  readonly cloneAtMs: number | null;
}

/** Machines, their network, clients, faults, and who watches all that. */
export class World {
  readonly time = new SimClock();
  readonly dice: Dice;
  readonly swarm: Swarm;
  readonly network: Network;
  readonly hosts: readonly Host[];
  readonly asking: Asking;
  readonly atlas = new FaultAtlas();
  readonly operator: Operator;
  readonly history = new History();
  readonly truth: Truth;
  readonly answers: AnswerChecker;
  readonly replicas: ReplicaChecker;
  readonly ledger: NonceLedger;
  /** These are `null` in a run without encryption. */
  readonly keyWatch: KeyWatch | null;
  readonly keyFaults: KeyFaults | null;
  readonly keyOperator: KeyOperator | null;
  /** `null` in a run without a rollout. */
  readonly canaries: CanaryWatch | null;
  readonly aimed: AimedFaults | null;
  /** Members forget what they promised: only keys are checked. */
  readonly forgets: boolean;
  /** When all disks were cloned. */
  clone: Past | null = null;
  /** What happened, when tracing. */
  readonly lines: string[] = [];
  readonly #terms = new TermChecker();
  readonly #faults: Faults;
  readonly #isTracing: boolean;
  readonly #onlyHistory: boolean;
  readonly #past: Past | null;
  readonly #cloneAtMs: number | null;
  /** Last entry that anybody outside was told of. */
  known = 0;
  events = 0;
  hash = 0;
  /** Writes that a node refused, or did not answer. */
  unserved = 0;
  /** Clients start nothing new. */
  isClosing = false;
  #failure: Error | null = null;
  /** What was committed has changed, in a run where that may be. */
  #hasForgotten = false;

  constructor(seed: string, options: WorldOptions) {
    const { swarm, open } = options;
    this.dice = new Dice(seed);
    this.swarm = swarm;
    this.#isTracing = options.isTracing;
    this.#onlyHistory = options.onlyHistory;
    this.ledger = options.ledger;
    this.#past = options.past;
    this.#cloneAtMs = options.cloneAtMs;
    this.forgets = forgets(swarm.keys);
    const names = Array.from({ length: swarm.members }, (_, i) => `n${i + 1}`);
    this.network = new Network(
      names,
      this.time,
      this.dice.split("network"),
      swarm.delays,
    );
    this.asking = new Asking(this.time, this.dice.split("asking"));
    this.hosts = names.map((name) => new Host(name, this, open));
    this.truth = options.past?.truth ?? new Truth({
      voters: names.map((_, i) => i + 1),
      votersOutgoing: [],
      learners: [],
      learnersNext: [],
      autoLeave: false,
    });
    this.answers = new AnswerChecker(this.truth);
    this.replicas = new ReplicaChecker(this.truth);
    this.operator = new Operator(this);
    this.#faults = new Faults(this);
    const { keys } = swarm;
    this.keyWatch = keys === null ? null : new KeyWatch(this, keys);
    this.keyFaults = keys === null ? null : new KeyFaults(this, keys);
    this.keyOperator = keys === null ? null : new KeyOperator(this, keys);
    const rollout = keys?.rollout ?? null;
    this.canaries = rollout === null ? null : new CanaryWatch(this);
    this.aimed = rollout === null ? null : new AimedFaults(this, rollout);
    for (const host of this.hosts) {
      const past = options.past?.hosts.get(host.name);
      if (past === undefined) continue;
      host.begin(past, this.dice.u32());
      if (past.isDamaged) this.atlas.claim(host.name, this.voters());
      if (!this.truth.members().includes(host.name)) {
        this.operator.isRemoved(host);
      }
    }
  }

  get now(): number {
    return this.time.monotonicMs();
  }

  /** Lives the whole run. @throws {SimFailure} When a rule was broken. */
  async run(): Promise<void> {
    for (const host of this.hosts) host.start();
    for (let i = 1; i <= this.swarm.clients; i += 1) {
      const client = new Client(this, `${this.#past === null ? "c" : "d"}${i}`);
      client.run(this.swarm.thinkMs).catch((error) => this.#failed(error));
    }
    this.#auditLater();
    this.keyWatch?.start();
    void this.keyOperator?.begin();
    if (this.#cloneAtMs !== null) {
      this.time.after(this.#cloneAtMs, () => this.#clone());
    }
    await this.#passUntil(FAULTS_FROM_MS);
    this.note("faults begin");
    this.#faults.start();
    this.keyFaults?.start();
    this.keyOperator?.stop();
    await this.#passUntil(FAULTS_UNTIL_MS);
    this.note("faults are over");
    this.#faults.stop();
    this.keyFaults?.stop();
    this.aimed?.stop();
    let isServing = false;
    serveAgain(this).then(
      () => isServing = true,
      (error) =>
        this.guard(() => {
          throw error;
        }),
    );
    const peaceMs = this.canaries === null ? PEACE_MS : ROLLOUT_PEACE_MS;
    const until = FAULTS_UNTIL_MS + peaceMs.clients;
    do await this.#passUntil(Math.min(until, this.now + LOOK_MS)); while (
      this.now < until && !(isServing && this.canaries !== null)
    );
    this.isClosing = true;
    await this.#passUntil(this.now + peaceMs.end);
    this.guard(() => {
      if (!isServing) fail("Liveness", "the operator is not done");
    });
    await this.#end();
  }

  /** Names of the voters. */
  voters(): readonly string[] {
    return this.truth.members().length === 0
      ? this.hosts.map(({ name }) => name)
      : this.truth.voters();
  }

  /**
   * The voters, and those of before the last change as long as a whole voter
   * may come back without knowing that it is committed: a change counts when it
   * is applied, and until then the old voters elect.
   */
  voterSets(): readonly (readonly string[])[] {
    const voters = this.voters();
    const { change } = this.truth;
    if (change === null) return [voters];
    const isKnown = this.hosts.every(({ name, node }) =>
      !voters.includes(name) || this.atlas.damaged.has(name) ||
      (node?.status().applied ?? 0) > change.index
    );
    return isKnown ? [voters] : [voters, change.votersBefore];
  }

  /** How the cluster is, as who asks to join it hears. */
  async askStatus(): Promise<NodeStatus | null> {
    const host = this.leader();
    if (host === null) return null;
    const answer = await this.asking.ask(
      host,
      (node) => Promise.resolve(node.status()),
    );
    return answer.kind === "answered" ? answer.value : null;
  }

  /** The host that leads the highest term, as far as nodes know. */
  leader(): Host | null {
    let best: Host | null = null;
    let bestTerm = -1;
    for (const host of this.hosts) {
      if (host.node === null) continue;
      const { leader, term } = host.node.status();
      if (leader === host.name && term > bestTerm) {
        best = host;
        bestTerm = term;
      }
    }
    return best;
  }

  /** At least one host, not all, unless there is but one. */
  someHosts(dice: Dice): readonly Host[] {
    const count = Math.max(1, dice.below(this.hosts.length));
    const left = [...this.hosts];
    return Array.from(
      { length: count },
      () => left.splice(dice.below(left.length), 1)[0] as Host,
    );
  }

  nodeOptions({ name, joins }: Host): Omit<SimNodeOptions, "onFatal"> {
    const founding = this.hosts.map((host) => host.name);
    const join = joins ? () => this.askStatus() : null;
    const { rotateOnStart = false, checkpointRate = 0 } =
      this.swarm.keys?.rollout ?? {};
    const rate = checkpointRate === 0
      ? {}
      : { checkpointBytesPerSecond: checkpointRate };
    return { ...this.swarm, name, founding, join, rotateOnStart, ...rate };
  }

  lifeHost(host: Host): LifeHost {
    let tasks = 0;
    return {
      name: host.name,
      time: this.time,
      onTask: () => {
        this.events += 1;
        this.hash = foldHash(this.hash, Math.floor(this.now * 1_000));
        tasks += 1;
        if (tasks % TASKS_PER_LOOK === 0) this.#look(host);
      },
      onArmed: (effect) => void host.dieIn(effect),
      observer: {
        changing: () => {
          this.keyFaults?.changing();
          this.aimed?.changing(host);
        },
        marked: () => this.aimed?.marked(host),
        committed: (entries) =>
          this.guard(() => {
            for (const entry of entries) {
              this.truth.commit(host.lifeName, entry);
            }
          }),
        applied: (state, mutations) => {
          host.applied = state;
          this.canaries?.applied(host, state);
          this.guard(() =>
            this.replicas.applied(host.lifeName, state, mutations)
          );
        },
        installed: (state) => {
          host.applied = state;
          const { index } = state.applied;
          this.note(`${host.name} has a checkpoint of ${index}`);
          this.guard(() => this.replicas.installed(host.lifeName, state));
          this.canaries?.installed(host, state);
          this.audit(host);
        },
        wrote: (path, bytes) =>
          this.guardKeys(() => this.canaries?.wrote(host, path, bytes)),
        wroteRow: (path, row) =>
          this.guardKeys(() => this.canaries?.wroteRow(host, path, row)),
        begun: (session) => this.keyWatch?.begun(host, session),
      },
    };
  }

  /** A line of the trace. */
  note(line: string): void {
    this.hash = foldHash(this.hash, hashText(line));
    if (this.#isTracing) this.lines.push(`${this.now.toFixed(3)} ${line}`);
  }

  /** A line of a node's own log. */
  logged(host: Host, line: string): void {
    this.note(`${host.name}: ${line}`);
    this.#faults.heard(host, line);
    this.aimed?.heard(host, line);
    this.guard(() => this.canaries?.heard(host, line));
    this.#look(host);
  }

  /** A node stopped by itself: it must have had a reason. */
  halted(host: Host, life: Life, error: Error): void {
    this.guard(() => {
      const isJudged = this.keyWatch?.judges(host, life, error) ?? null;
      if (isJudged === true) return;
      if (isJudged === false) fail("KeyHalt", `${host.name}: ${error.stack}`);
      const isTyped = error instanceof NodeError;
      const isExcused = life.excuses.size > 0 ||
        this.operator.explains(host, error);
      if (!isTyped || !isExcused) {
        const cause = error.cause instanceof Error ? error.cause.stack : "";
        fail("Halt", `${host.name}: ${error.stack} ${cause}`);
      }
    });
  }

  /** A process has ended, whatever ended it. */
  gone(host: Host): void {
    this.audit(host);
    this.#faults.restart(host);
  }

  answered(attempt: EndedAttempt): void {
    const { outcome } = attempt;
    this.guard(() => this.answers.see(attempt));
    if (outcome === "refused" || outcome === "unknown") this.unserved += 1;
    if (typeof outcome === "string" || outcome.kind !== "committed") return;
    this.#learn(outcome.versionstamp.toHex());
  }

  haveRead(read: EndedRead): void {
    this.guard(() => checkRead(this.truth, read));
    for (const { stamp } of read.entries.flat()) this.#learn(stamp);
  }

  /** Compares what the disk of `host` holds now. */
  audit(host: Host): void {
    const { disk } = host;
    this.keyWatch?.look(host);
    this.guardKeys(() => this.canaries?.look(host));
    auditContent(host, this.truth).then(
      (found) =>
        this.guard(() => {
          // It may have got another disk meanwhile.
          if (found === null || host.disk !== disk) return;
          this.replicas.audit(host.name, found);
        }),
      (error) =>
        this.guard(() => {
          throw error;
        }),
    );
  }

  forget(host: Host): void {
    this.replicas.forget(host.name);
    this.keyWatch?.forget(host);
    this.canaries?.forget(host);
  }

  /** What was answered with entry `index` is in the store of `host` now. */
  checkDurable(host: Host, index: number): void {
    const { name } = host;
    auditApplied(host).then(
      (applied) =>
        this.guard(() => {
          if (applied !== null && applied >= index) return;
          fail("AnsweredBeforeDurable", `${name}: ${index}, ${applied}`);
        }),
      (error) => this.#failed(error),
    );
  }

  /** Writes through `host`; tells the index of the entry, `null` if refused. */
  async mark(host: Host, write: AtomicWrite): Promise<number | null> {
    const answer = await this.asking.ask(host, (node) => node.write(write));
    if (answer.kind !== "answered") return null;
    const reply = answer.value;
    return reply.kind === "committed"
      ? indexOf(reply.versionstamp.toHex())
      : null;
  }

  /** Runs a checker; what it finds ends the run. */
  guard(check: () => void): void {
    if (this.#onlyHistory) return;
    try {
      check();
    } catch (error) {
      if (!this.forgets) this.#failed(error);
      this.#hasForgotten = true;
    }
  }

  /** As `guard`, for what holds although members forget. */
  guardKeys(check: () => void): void {
    if (this.#onlyHistory) return;
    try {
      check();
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(`${error}`);
  }

  #learn(stamp: string): void {
    this.known = Math.max(this.known, indexOf(stamp));
  }

  #look({ node, name, lifeName, isForeign }: Host): void {
    if (node === null) return;
    const { term, commit, applied, leader } = node.status();
    const standing = { term, commit, applied, isLeader: leader === name };
    this.guard(() => {
      this.#terms.see(lifeName, standing);
      if (isForeign && commit > FOUNDING_INDEX) {
        fail("TookPart", `${name} with an empty disk knows ${commit}`);
      }
    });
  }

  #clone(): void {
    const hosts = new Map(this.hosts.map((host) => {
      const { name, joins, isForeign } = host;
      const isDamaged = this.atlas.damaged.has(name);
      const image = host.image(this.dice.u32());
      return [name, { image, joins, isForeign, isDamaged }];
    }));
    this.clone = { hosts, truth: this.truth.fork() };
  }

  #auditLater(): void {
    this.time.after(AUDIT_EVERY_MS, () => {
      for (const host of this.hosts) this.audit(host);
      this.#auditLater();
    });
  }

  async #passUntil(atMs: number): Promise<void> {
    const { time } = this;
    let isThere = false;
    time.after(atMs - this.now, () => isThere = true);
    await settleBetween(() =>
      !isThere && this.#failure === null && this.ledger.repeat === null &&
      time.step()
    );
    await settle();
    this.guardKeys(() => {
      const { repeat } = this.ledger;
      if (repeat !== null) fail("NonceLedger", repeat);
    });
    if (this.#failure !== null) throw this.#failure;
  }

  async #end(): Promise<void> {
    for (const host of this.hosts) this.audit(host);
    await settle();
    this.operator.checkRefused();
    this.guard(() => this.answers.end());
    this.guard(() => this.keyOperator?.check());
    this.guardKeys(() => {
      if (!this.#hasForgotten) this.keyWatch?.checkAgreement();
    });
    this.guardKeys(() => this.keyWatch?.checkRollbacks());
    if (!this.forgets) {
      this.guardKeys(() => this.canaries?.lookEverywhere(this.hosts));
    }
    if (this.#failure !== null) throw this.#failure;
    // What clients of before did is not known to it.
    if (this.forgets || this.#past !== null) return;
    this.history.check();
  }
}

/** Index of the entry whose versionstamp that is. */
function indexOf(stamp: string): number {
  return parseInt(stamp.slice(0, 16), 16);
}
