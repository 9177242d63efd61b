import { unreachable } from "../../base/assert.ts";
import { NodeError } from "../../base/error.ts";
import type { MemberId } from "../../fsm/types.ts";
import type { LogIndex, Term } from "../../raft/types.ts";
import type {
  CapabilityFinding,
  ChangeUnderWay,
  EncryptionRequest,
  EncryptionResult,
} from "../encryption_port.ts";
import { OutcomeUnknownError } from "../errors.ts";
import { MemberChangeRefusedError } from "../member_errors.ts";
import type { ChangeTerms } from "../port.ts";
import {
  CapabilityUnprovenError,
  ChangeUnderWayError,
} from "./change_errors.ts";
import { ChangeLock } from "./change_lock.ts";
import {
  encryptionPlanHash,
  type KeyRequest,
  planEncryption,
  type PlannedEncryption,
} from "./change_plan.ts";
import { detailOf, History } from "./history.ts";
import { KeyChanges } from "./key_changes.ts";
import { Leading, type LeadingHost } from "./leading.ts";
import type {
  AskedMember,
  LongChangeContext,
  LongChanges,
} from "./long_changes.ts";
import { isStep, type StepRequest } from "./step_plan.ts";
import { UnderWay } from "./under_way.ts";

type CarriedOut = Omit<EncryptionResult, "plan">;

/** Asks members for long: the lock of changes is held only to propose. */
type LongRequest = Extract<
  StepRequest,
  { kind: "seal-cleartext" | "retire-dek" | "scrub" }
>;
type ShortRequest = Exclude<EncryptionRequest, LongRequest>;

export interface EncryptionChangesHost extends LeadingHost {
  readonly lock: ChangeLock;
  /** Steps that take long. */
  readonly long: LongChanges;
  /** This node's registration to propose; `null` when there is none. */
  takeRegistration(): Uint8Array | null;
}

/**
 * Changes of encryption as operators ask for them, one at a time, on the
 * leader: planned and validated against the applied state, and only when the
 * members have proven that they can apply them, proposed.
 */
export class EncryptionChanges {
  readonly #host: EncryptionChangesHost;
  readonly #leading: Leading;
  readonly #keys: KeyChanges;
  readonly #history: History;
  /** Held by a step that asks members for long, beside the lock of changes. */
  readonly #longLock = new ChangeLock();
  readonly #underWay = new UnderWay();

  constructor(host: EncryptionChangesHost) {
    this.#host = host;
    this.#leading = new Leading(host);
    this.#history = new History(host);
    this.#keys = new KeyChanges({
      ...host,
      state: () => host.state().fsm.encryption,
      clusterId: () => this.#leading.clusterId(),
      takeRegistration: () => host.takeRegistration(),
    });
  }

  /** As `EncryptionPort.changeEncryption`. */
  async change(
    request: EncryptionRequest,
    terms: ChangeTerms,
  ): Promise<EncryptionResult> {
    this.#leading.mustLead();
    if (terms.dryRun) return await this.#change(request, terms);
    const step = {
      actor: terms.actor ?? "",
      action: request.kind,
      detail: detailOf(request),
      planHash: encryptionPlanHash(request, this.#leading.facts()),
    };
    return await this.#history.recorded(
      step,
      () => this.#change(request, terms),
    );
  }

  async #change(
    request: EncryptionRequest,
    terms: ChangeTerms,
  ): Promise<EncryptionResult> {
    await this.#leading.mustBeOpen();
    const planned = planEncryption(request, terms, this.#leading.facts());
    if (terms.dryRun || !planned.isNeeded) return unchanged(planned);
    if (isLong(request)) {
      const { plan } = planned;
      return { plan, ...await this.#takeLong(request) };
    }
    return await this.#locked(request.kind, async () => {
      // What it waited for may have done it.
      const now = planEncryption(request, terms, this.#leading.facts());
      if (!now.isNeeded) return unchanged(now);
      return { plan: now.plan, ...await this.#carryOut(request) };
    });
  }

  /** As `EncryptionPort.askCapabilities`. */
  async ask(): Promise<readonly CapabilityFinding[]> {
    this.#leading.mustLead();
    await this.#leading.mustBeOpen();
    return await this.#leading.fanOut([]);
  }

  /** As `EncryptionPort.changeUnderWay`. */
  underWay(): ChangeUnderWay | null {
    this.#leading.mustLead();
    return this.#underWay.change;
  }

  /** Whether a change may begin here now. */
  get isFree(): boolean {
    const { core, lock } = this.#host;
    return core.state.role === "leader" && lock.holder === null &&
      !this.#host.isStopped();
  }

  async #carryOut(request: ShortRequest): Promise<CarriedOut> {
    const { term } = this.#host.core.state;
    this.#leading.mustLead();
    this.#leading.mustBeSettled();
    if (!isStep(request)) return await this.#changeKeys(request);
    switch (request.kind) {
      case "enable-storage-envelope":
        return await this.#enableStorage(term);
      case "enable-raft-envelope": {
        await this.#mustBeProven(request);
        this.#leading.mustLead(term);
        this.#leading.mustBeSettled();
        const outcome = await this.#host.long.enableRaftEnvelope(term);
        return doneAt(this.#leading.indexOf(outcome));
      }
      case "start-rewrite":
      case "pause-rewrite":
      case "resume-rewrite":
        return doneAt(await this.#leading.proposeRollout(request));
      case "update-rollout": {
        const untilMs = request.dwellUntilMs;
        const change = { kind: "dwell", untilMs } as const;
        return doneAt(await this.#leading.proposeRollout(change));
      }
      default:
        return unreachable(request);
    }
  }

  async #changeKeys(request: KeyRequest): Promise<CarriedOut> {
    const { term } = this.#host.core.state;
    const unreachable = await this.#mustBeProven(request);
    const change = await this.#keys.changeOf(request);
    if (change === null) return { isChanged: false, index: 0, unreachable };
    const index = await this.#leading.proposeIn(term, change);
    return { isChanged: true, index, unreachable };
  }

  /** Draws the first keys on the way, if there are none. */
  async #enableStorage(term: Term): Promise<CarriedOut> {
    const kind = "enable-storage-envelope";
    await this.#mustBeProven({ kind });
    if (this.#host.state().fsm.encryption.keys.size > 0) {
      return doneAt(await this.#leading.proposeIn(term, { kind }));
    }
    await this.#leading.proposeIn(term, await this.#keys.bootstrap());
    try {
      return doneAt(await this.#leading.proposeIn(term, { kind }));
    } catch (error) {
      // The keys are drawn: nobody may be told that nothing was changed.
      if (error instanceof NodeError) throw new OutcomeUnknownError();
      throw error;
    }
  }

  /** Steps that ask members for long hold up nothing but each other. */
  async #takeLong(request: LongRequest): Promise<CarriedOut> {
    const { term } = this.#host.core.state;
    this.#leading.mustLead();
    this.#leading.mustBeSettled();
    const refuse = (holder: string) => new ChangeUnderWayError(holder);
    return await this.#longLock.run(request.kind, refuse, async () => {
      const context = this.#longContext(request.kind, term);
      const members = concerned(request, context.members);
      const names = members.map(({ name }) => name);
      return await this.#underWay.during(
        request.kind,
        names,
        () => this.#haveDone(request, members, context),
      );
    });
  }

  async #haveDone(
    request: LongRequest,
    members: readonly AskedMember[],
    context: LongChangeContext,
  ): Promise<CarriedOut> {
    const { long } = this.#host;
    switch (request.kind) {
      case "seal-cleartext":
        return doneAt(await long.sealCleartext(context));
      case "retire-dek":
        return doneAt(await long.retireDek(request.keyId, context));
      case "scrub":
        await long.scrub(members, context);
        return doneAt(0);
      default:
        return unreachable(request);
    }
  }

  #longContext(action: string, term: Term): LongChangeContext {
    const { members } = this.#leading.facts();
    const asked = new Set(members.map(({ id }) => id));
    return {
      ...{ term, members },
      mustLead: () => this.#leading.mustLead(term),
      told: (news) => this.#underWay.told(news),
      propose: (change) =>
        this.#locked(action, async () => {
          const isAsked = ({ id }: { readonly id: MemberId }) => asked.has(id);
          if (!this.#leading.facts().members.every(isAsked)) {
            throw new MemberChangeRefusedError(
              `there are members that had no part in ${action}`,
            );
          }
          return await this.#leading.proposeIn(term, change);
        }),
    };
  }

  /**
   * Names of members that did not answer and need not.
   *
   * @throws {CapabilityUnprovenError}
   */
  async #mustBeProven(request: EncryptionRequest): Promise<readonly string[]> {
    if (request.kind === "register-writer") return [];
    const keks = request.kind === "rewrap-deks"
      ? this.#keys.rewrapUnder(request.keks)
      : [];
    const verdicts = await this.#leading.fanOut(keks);
    const isSilent = ({ code }: CapabilityFinding) => code === "unreachable";
    // A member that is down gets a rotated key like any other entry: later.
    const silent = request.kind === "rotate-dek"
      ? verdicts.filter(isSilent)
      : [];
    const unproven = verdicts.filter((verdict) =>
      verdict.code !== "" && !silent.includes(verdict)
    );
    if (unproven.length > 0) {
      throw new CapabilityUnprovenError(request.kind, unproven);
    }
    return silent.map(({ member }) => member);
  }

  #locked<T>(name: string, change: () => Promise<T>): Promise<T> {
    const refuse = (holder: string) => new ChangeUnderWayError(holder);
    return this.#host.lock.run(name, refuse, change);
  }
}

function unchanged({ plan, index }: PlannedEncryption): EncryptionResult {
  return { plan, isChanged: false, index, unreachable: [] };
}

function doneAt(index: LogIndex): CarriedOut {
  return { isChanged: true, index, unreachable: [] };
}

/** Those that `request` names; all for one that names none. */
function concerned(
  request: LongRequest,
  members: readonly AskedMember[],
): readonly AskedMember[] {
  if (request.kind !== "scrub" || request.members.length === 0) return members;
  return members.filter(({ name }) => request.members.includes(name));
}

function isLong(request: EncryptionRequest): request is LongRequest {
  const { kind } = request;
  return kind === "seal-cleartext" || kind === "retire-dek" || kind === "scrub";
}
