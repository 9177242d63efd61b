import type { Bytes } from "../../base/bytes.ts";
import { equalBytes } from "../../base/bytes.ts";
import { fullNodeId } from "../../base/identity.ts";
import { CHALLENGE_BYTES, verifyProof } from "../../crypto/capability.ts";
import type { Clock } from "../../io/clock.ts";
import type { Random } from "../../io/random.ts";
import type { KeyCustody } from "../../keys/port.ts";
import type { RaftId, Term } from "../../raft/types.ts";
import type {
  CapabilityAnswer,
  CapabilityAsk,
  CapabilityFinding,
} from "../encryption_port.ts";
import {
  type CapabilityAnswerPacket,
  type CapabilityAskPacket,
} from "./capability_packet.ts";
import {
  decodeStatement,
  ENCRYPTION_PROTOCOL_VERSION,
  type Statement,
} from "./capability_statement.ts";

/** Who is asked. */
export interface CapabilityTarget {
  readonly id: RaftId;
  readonly name: string;
}

export interface FanOutHost {
  readonly self: RaftId;
  readonly clock: Clock;
  readonly random: Random;
  readonly custody: KeyCustody;
  /** False when there is no way to `to` now. */
  send(to: RaftId, packet: CapabilityAskPacket): boolean;
  /** What this node says when it is asked. */
  answer(ask: CapabilityAsk): Promise<CapabilityAnswer>;
}

/** One question to all members. */
export interface FanOutRequest {
  readonly clusterId: Bytes;
  readonly term: Term;
  readonly targets: readonly CapabilityTarget[];
  /** Ids of the KEKs that challenges are wrapped under; none: all there are. */
  readonly keks: readonly string[];
  readonly timeoutMs: number;
}

interface Waiting {
  readonly from: RaftId;
  readonly resolve: (answer: CapabilityAnswer) => void;
}

/** Between two tries while there is no way to a member. */
const RESEND_MS = 50;
/** What was sent, or its answer, is lost with a link: it is sent again. */
const REASK_MS = 500;

/**
 * Asks members to prove that they can use encryption: each gets a challenge of
 * its own that only a KEK of this node opens (encryption.md, Capability).
 *
 * Nothing is remembered between two questions.
 */
export class CapabilityFanOut {
  readonly #host: FanOutHost;
  readonly #waiting = new Map<number, Waiting>();
  #request = 0;

  constructor(host: FanOutHost) {
    this.#host = host;
  }

  /**
   * One verdict per target, in their order, within `timeoutMs`.
   *
   * @throws {KekUnavailableError} A KEK of this node does not answer.
   */
  async ask(request: FanOutRequest): Promise<readonly CapabilityFinding[]> {
    return await Promise.all(
      request.targets.map((target) => this.#askOne(target, request)),
    );
  }

  /** Takes an answer; one that nobody waits for, or of another, is dropped. */
  onAnswer(from: RaftId, packet: CapabilityAnswerPacket): void {
    const waiting = this.#waiting.get(packet.request);
    if (waiting?.from === from) waiting.resolve(packet);
  }

  async #askOne(
    target: CapabilityTarget,
    request: FanOutRequest,
  ): Promise<CapabilityFinding> {
    const { clock, self } = this.#host;
    const { timeoutMs, keks } = request;
    const { name } = target;
    const { promise: late, resolve } = Promise.withResolvers<null>();
    const timer = clock.after(timeoutMs, () => resolve(null));
    try {
      // A provider may take its time to wrap a challenge, and to open it.
      const drawn = await Promise.race([this.#draw(target, request), late]);
      if (drawn === null) return ownKekSilent(name, timeoutMs);
      const { ask, challenge } = drawn;
      const isSelf = target.id === self;
      const answer = isSelf
        ? await Promise.race([this.#host.answer(ask), late])
        : await this.#exchange(target.id, ask, late);
      if (answer !== null) {
        return await judge(answer, { ask, challenge, target, keks });
      }
      return (isSelf ? ownKekSilent : unreachable)(name, timeoutMs);
    } finally {
      timer.cancel();
    }
  }

  async #draw(
    { name }: CapabilityTarget,
    { clusterId, term, keks }: FanOutRequest,
  ): Promise<Pick<Asked, "ask" | "challenge">> {
    const { custody, random } = this.#host;
    const target = fullNodeId(name);
    const challenge = random.bytes(CHALLENGE_BYTES);
    const context = { kind: "challenge", clusterId, term, target } as const;
    const challenges = await custody.wrapChallenge(challenge, context, keks);
    return { challenge, ask: { clusterId, term, target, challenges } };
  }

  /** `null` when it is late before an answer comes. */
  async #exchange(
    to: RaftId,
    ask: CapabilityAsk,
    late: Promise<null>,
  ): Promise<CapabilityAnswer | null> {
    const { clock } = this.#host;
    this.#request += 1;
    const request = this.#request;
    const packet = { kind: "capability-ask", request, ...ask } as const;
    const { promise, resolve } = Promise.withResolvers<CapabilityAnswer>();
    this.#waiting.set(request, { from: to, resolve });
    let again = clock.after(0, () => {});
    const send = () => {
      const isSent = this.#host.send(to, packet);
      again = clock.after(isSent ? REASK_MS : RESEND_MS, send);
    };
    send();
    const answer = await Promise.race([promise, late]);
    again.cancel();
    this.#waiting.delete(request);
    return answer;
  }
}

interface Asked {
  readonly ask: CapabilityAsk;
  readonly challenge: Bytes;
  readonly target: CapabilityTarget;
  readonly keks: readonly string[];
}

async function judge(
  { statement: bytes, proof }: CapabilityAnswer,
  asked: Asked,
): Promise<CapabilityFinding> {
  const { name } = asked.target;
  const statement = decodeStatement(bytes);
  const finding = statement === null
    ? found("malformed-answer", `"${name}" answers in a form unknown here`, {
      remedy: `Run the same sealkv release on "${name}" as here`,
    })
    : faultOf(statement, asked) ??
      (await verifyProof(asked.challenge, bytes, proof)
        ? PROVEN
        : unproven(asked));
  return { member: name, ...finding };
}

type Finding = Omit<CapabilityFinding, "member">;

const PROVEN: Finding = { code: "", message: "", remedy: "" };

/** What a statement says against its member; `null` for nothing. */
function faultOf(
  statement: Statement,
  { ask, target: { name } }: Asked,
): Finding | null {
  if (statement.node !== name || statement.fullNodeId !== ask.target) {
    return found("wrong-node", `"${statement.node}" answers for "${name}"`, {
      remedy: `Start "${name}" on its own data dir and address`,
    });
  }
  if (
    !equalBytes(statement.clusterId, ask.clusterId) ||
    statement.term !== ask.term
  ) {
    return found("wrong-cluster", `"${name}" answers for another cluster`, {
      remedy: `Start "${name}" with the data dir of this cluster`,
    });
  }
  if (statement.protocolVersion < ENCRYPTION_PROTOCOL_VERSION) {
    return found("old-version", `"${name}" runs ${statement.build}`, {
      remedy: `Run the same sealkv release on "${name}" as here`,
    });
  }
  if (!statement.isEnabled) {
    return found("flag-missing", `"${name}" runs without encryption`, {
      remedy:
        `Restart "${name}" with \`sealkv serve --encryption-enabled --kek URI\``,
    });
  }
  if (!statement.isFilesystemFit) {
    return found(
      "filesystem-unfit",
      `the data dir of "${name}" cannot keep a sidecar`,
      {
        remedy: `Move the data dir of "${name}" to a local filesystem`,
      },
    );
  }
  return null;
}

function unproven({ target: { name }, keks }: Asked): Finding {
  const under = keks.length === 0 ? "this leader's KEKs" : keks.join(", ");
  return found(
    "kek-unproven",
    `"${name}" cannot open a challenge of ${under}`,
    {
      remedy:
        `Restart "${name}" with a --kek that opens wraps of ${under}; \`sealkv encryption status\` lists the KEKs of each member`,
    },
  );
}

function unreachable(name: string, timeoutMs: number): CapabilityFinding {
  return {
    member: name,
    ...found("unreachable", `"${name}" did not answer within ${timeoutMs} ms`, {
      remedy:
        `Start "${name}", or reconnect it, until \`sealkv status\` shows it up`,
    }),
  };
}

/** It says nothing about `name`: whoever was not asked is not unreachable. */
function ownKekSilent(name: string, timeoutMs: number): CapabilityFinding {
  const message =
    `no KEK of this leader served the challenge of "${name}" within ${timeoutMs} ms`;
  return {
    member: name,
    ...found("leader-kek-silent", message, {
      remedy:
        "Bring the provider of the leader's --kek back, until `sealkv encryption status` shows no gap",
    }),
  };
}

function found(
  code: string,
  message: string,
  { remedy }: { readonly remedy: string },
): Finding {
  return { code, message, remedy };
}
