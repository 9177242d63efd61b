import assert from "node:assert/strict";
import fc from "fast-check";
import {
  ForwardReceiver,
  ForwardSender,
} from "../../../src/node/forwarding.ts";
import {
  decodePacket,
  encodePacket,
  type Forward,
  type ForwardVerdict,
  type Verdict,
} from "../../../src/node/packet.ts";

const PAYLOAD = Uint8Array.of(1);

function forward(sequence: number, given: Partial<Forward> = {}): Forward {
  return {
    kind: "forward",
    boot: 7,
    term: 3,
    sequence,
    proposalId: 100 + sequence,
    payload: PAYLOAD,
    ...given,
  };
}

function verdictOf(
  sequence: number,
  verdict: Verdict,
  given: Partial<ForwardVerdict> = {},
): ForwardVerdict {
  return { kind: "verdict", boot: 7, term: 3, sequence, verdict, ...given };
}

/** Has a forward answered at once; `isTaken` is asked if it is new. */
function answered(
  receiver: ForwardReceiver,
  from: number,
  one: Forward,
  isTaken: () => boolean,
): ForwardVerdict {
  const answers: ForwardVerdict[] = [];
  receiver.receive(from, one, {
    propose: (decide) => decide(isTaken()),
    answer: (verdict) => answers.push(verdict),
  });
  assert.equal(answers.length, 1);
  return answers[0]!;
}

/** A receiver whose log takes everything but `refused`. */
function receiving(...refused: readonly number[]) {
  const receiver = new ForwardReceiver();
  const log: number[] = [];
  const take = (one: Forward, from = 2) =>
    answered(receiver, from, one, () => {
      if (refused.includes(one.proposalId)) return false;
      log.push(one.proposalId);
      return true;
    }).verdict;
  return { receiver, log, take };
}

Deno.test("ForwardReceiver takes each once and says so again", () => {
  const { log, take } = receiving(102);
  const order = [1, 1, 2, 3, 2, 1, 3];
  assert.deepEqual(order.map((sequence) => take(forward(sequence))), [
    "taken",
    "taken",
    "refused",
    "taken",
    "refused",
    "taken",
    "taken",
  ]);
  assert.deepEqual(log, [101, 103]);
});

Deno.test("ForwardReceiver takes nothing behind a gap", () => {
  const { log, take } = receiving();
  assert.equal(take(forward(2)), "gap");
  assert.equal(take(forward(1)), "taken");
  assert.equal(take(forward(3)), "gap");
  assert.equal(take(forward(2)), "taken");
  assert.equal(take(forward(3)), "taken");
  assert.deepEqual(log, [101, 102, 103]);
});

Deno.test("ForwardReceiver keeps members, starts and terms apart", () => {
  const { log, take } = receiving();
  assert.equal(take(forward(1)), "taken");
  assert.equal(take(forward(1, { proposalId: 1 }), 3), "taken");
  assert.equal(take(forward(2, { boot: 8 })), "gap");
  assert.equal(take(forward(1, { boot: 8, proposalId: 2 })), "taken");
  assert.equal(take(forward(2, { boot: 8, term: 4 })), "gap");
  assert.deepEqual(log, [101, 1, 2]);
});

Deno.test("ForwardReceiver.receive() echoes whom it answers", () => {
  const { receiver } = receiving();
  const given = { boot: 9, term: 5 };
  assert.deepEqual(
    answered(receiver, 2, forward(1, given), () => true),
    verdictOf(1, "taken", given),
  );
});

Deno.test("ForwardReceiver remembers as many refusals as a sender has open", () => {
  const { receiver } = receiving();
  for (let sequence = 1; sequence <= 3_000; sequence += 1) {
    answered(receiver, 2, forward(sequence), () => false);
  }
  const again = (sequence: number) =>
    answered(receiver, 2, forward(sequence), () => assert.fail("again"))
      .verdict;
  assert.equal(again(3_000 - 1_023), "refused");
  assert.equal(again(3_000 - 1_024), "taken");
});

Deno.test("ForwardReceiver answers what takes time once it is decided, and once", () => {
  const receiver = new ForwardReceiver();
  const answers: [number, Verdict][] = [];
  const decisions: ((isTaken: boolean) => void)[] = [];
  const ask = (sequence: number) =>
    receiver.receive(2, forward(sequence), {
      propose: (decide) => decisions.push(decide),
      answer: (one) => answers.push([one.sequence, one.verdict]),
    });
  for (const sequence of [1, 2, 1, 2, 4]) ask(sequence);
  assert.deepEqual(answers.splice(0), [[4, "gap"]]);
  assert.equal(decisions.length, 2, "each is proposed once");
  decisions[1]!(false);
  decisions[0]!(true);
  assert.deepEqual(answers.splice(0), [[2, "refused"], [1, "taken"]]);
  for (const sequence of [2, 1]) ask(sequence);
  assert.deepEqual(answers, [[2, "refused"], [1, "taken"]]);
  assert.equal(decisions.length, 2);
});

function sending() {
  const sent: Forward[] = [];
  const state = { isUp: true };
  const sender = new ForwardSender((to, bytes) => {
    const packet = decodePacket(bytes);
    assert.ok(packet?.kind === "forward");
    assert.equal(to, 1);
    if (state.isUp) sent.push(packet);
    return state.isUp;
  }, 7);
  sender.follow(1, 3);
  const takeSent = () => sent.splice(0).map(({ sequence }) => sequence);
  return { sender, sent, state, takeSent };
}

Deno.test("ForwardSender numbers what it asks, per leadership", () => {
  const { sender, sent } = sending();
  sender.forward(101, PAYLOAD, 0);
  sender.forward(102, PAYLOAD, 0);
  sender.follow(1, 3);
  sender.forward(103, PAYLOAD, 0);
  sender.follow(1, 4);
  sender.forward(101, PAYLOAD, 0);
  assert.deepEqual(sent, [
    forward(1),
    forward(2),
    forward(3),
    forward(1, { term: 4 }),
  ]);
});

Deno.test("ForwardSender.onVerdict() returns a refused proposal, once", () => {
  const { sender } = sending();
  for (const id of [101, 102, 103]) sender.forward(id, PAYLOAD, 0);
  assert.equal(sender.onVerdict(verdictOf(1, "taken"), 0), null);
  assert.equal(sender.onVerdict(verdictOf(2, "refused"), 0), 102);
  assert.equal(sender.onVerdict(verdictOf(2, "refused"), 0), null);
  assert.equal(sender.onVerdict(verdictOf(9, "refused"), 0), null);
});

const STRANGERS: Partial<ForwardVerdict>[] = [{ boot: 8 }, { term: 2 }, {
  term: 4,
}];

for (const given of STRANGERS) {
  Deno.test(`ForwardSender.onVerdict() ignores one of ${JSON.stringify(given)}`, () => {
    const { sender, takeSent } = sending();
    sender.forward(101, PAYLOAD, 0);
    takeSent();
    assert.equal(sender.onVerdict(verdictOf(1, "refused", given), 0), null);
    assert.equal(sender.onVerdict(verdictOf(1, "gap", given), 0), null);
    assert.deepEqual(takeSent(), []);
  });
}

Deno.test("ForwardSender sends again what is unanswered, in order", () => {
  const { sender, takeSent } = sending();
  for (const id of [101, 102, 103]) sender.forward(id, PAYLOAD, 0);
  sender.onVerdict(verdictOf(2, "taken"), 0);
  takeSent();
  sender.onLinkUp(5, 0);
  assert.deepEqual(takeSent(), [], "another member's link");
  sender.onLinkUp(1, 0);
  assert.deepEqual(takeSent(), [1, 3]);
  sender.onVerdict(verdictOf(3, "gap"), 0);
  assert.deepEqual(takeSent(), [1, 3]);
});

Deno.test("ForwardSender.onTick() asks again after 500 ms, not before", () => {
  const { sender, takeSent } = sending();
  sender.onTick(10_000);
  sender.forward(101, PAYLOAD, 1_000);
  sender.forward(102, PAYLOAD, 1_400);
  takeSent();
  sender.onTick(1_499);
  assert.deepEqual(takeSent(), []);
  sender.onTick(1_500);
  assert.deepEqual(takeSent(), [1, 2]);
  sender.onTick(1_999);
  assert.deepEqual(takeSent(), []);
  sender.onTick(2_000);
  assert.deepEqual(takeSent(), [1, 2]);
});

Deno.test("ForwardSender keeps what a link does not take", () => {
  const { sender, state, takeSent } = sending();
  state.isUp = false;
  sender.forward(101, PAYLOAD, 0);
  sender.forward(102, PAYLOAD, 0);
  sender.onTick(600);
  state.isUp = true;
  sender.onLinkUp(1, 700);
  assert.deepEqual(takeSent(), [1, 2]);
});

/*
 * One follower and a chain of leaderships over one link. The link is ordered
 * while it is up, but loses and repeats; each side learns of a new leadership
 * in its own time, and either side may start anew.
 */
const STEPS = [
  "propose",
  "deliver",
  "answer",
  "lose",
  "lose-answer",
  "repeat",
  "repeat-answer",
  "down",
  "up",
  "tick",
  "lead",
  "follow",
  "restart-leader",
  "restart-follower",
  "full",
] as const;
type Step = (typeof STEPS)[number];

class ForwardingWorld {
  /** By term: what the leader's log holds, in order. */
  readonly #logs = new Map<number, number[]>();
  readonly #refused = new Map<number, Set<number>>();
  /** Of this start and leadership of the follower. */
  #asked: number[] = [];
  #toLeader: Uint8Array[] = [];
  #toFollower: Uint8Array[] = [];
  #isUp = true;
  #isFull = false;
  #nowMs = 0;
  #nextId = 1;
  #boot = 1;
  #term = 1;
  #followed = 1;
  #receiver = new ForwardReceiver();
  #sender = this.#newSender();

  run(step: Step): void {
    switch (step) {
      case "propose": {
        const id = this.#nextId;
        this.#nextId += 1;
        this.#asked.push(id);
        return this.#sender.forward(id, PAYLOAD, this.#nowMs);
      }
      case "deliver":
        return this.#deliver(this.#toLeader.shift());
      case "answer":
        return this.#answer(this.#toFollower.shift());
      case "lose":
        return void this.#toLeader.shift();
      case "lose-answer":
        return void this.#toFollower.shift();
      case "repeat":
        return this.#deliver(this.#toLeader[0]);
      case "repeat-answer":
        return this.#answer(this.#toFollower[0]);
      case "down":
        this.#isUp = false;
        this.#toLeader = [];
        this.#toFollower = [];
        return;
      case "up":
        if (this.#isUp) return;
        this.#isUp = true;
        return this.#sender.onLinkUp(1, this.#nowMs);
      case "tick":
        this.#nowMs += 100;
        return this.#sender.onTick(this.#nowMs);
      case "full":
        this.#isFull = !this.#isFull;
        return;
      default:
        return this.#change(step);
    }
  }

  #change(step: Step): void {
    if (step === "follow") {
      if (this.#followed === this.#term) return;
      this.#followed = this.#term;
      this.#asked = [];
      this.#sender.follow(1, this.#term);
    } else if (step === "restart-follower") {
      this.run("down");
      this.#boot += 1;
      this.#asked = [];
      this.#sender = this.#newSender();
    } else {
      this.#term += 1;
      this.#receiver.forget();
      if (step !== "restart-leader") return;
      this.run("down");
      this.#receiver = new ForwardReceiver();
    }
  }

  /** With a link that loses nothing everything is decided soon. */
  end(): void {
    this.#isFull = false;
    this.run("up");
    this.run("follow");
    for (let i = 0; i < 20; i += 1) {
      this.run("tick");
      while (this.#toLeader.length + this.#toFollower.length > 0) {
        this.run("deliver");
        this.run("answer");
      }
    }
    for (const id of this.#asked) {
      const isTaken = this.#logOf(this.#followed).includes(id);
      const isRefused = this.#refusedOf(this.#followed).has(id);
      assert.ok(isTaken !== isRefused, `${id} is decided`);
    }
    this.check();
    assert.deepEqual(this.#sendsOnTick(), [], "nothing is open");
  }

  check(): void {
    for (const [term, log] of this.#logs) {
      assert.equal(new Set(log).size, log.length, `twice in term ${term}`);
      for (const id of this.#refusedOf(term)) {
        assert.ok(!log.includes(id), `${id} is refused and in term ${term}`);
      }
    }
  }

  #sendsOnTick(): readonly Uint8Array[] {
    this.#nowMs += 10_000;
    this.#sender.onTick(this.#nowMs);
    return this.#toLeader;
  }

  #deliver(bytes: Uint8Array | undefined): void {
    const packet = bytes && decodePacket(bytes);
    if (packet?.kind !== "forward" || packet.term !== this.#term) return;
    const verdict = answered(this.#receiver, 2, packet, () => {
      const { proposalId } = packet;
      if (this.#isFull) return false;
      this.#logOf(this.#term).push(proposalId);
      return true;
    });
    if (this.#isUp) this.#toFollower.push(encodePacket(verdict));
  }

  #answer(bytes: Uint8Array | undefined): void {
    const packet = bytes && decodePacket(bytes);
    if (packet?.kind !== "verdict") return;
    const refused = this.#sender.onVerdict(packet, this.#nowMs);
    if (refused !== null) this.#refusedOf(this.#followed).add(refused);
  }

  #newSender(): ForwardSender {
    const sender = new ForwardSender((_, packet) => {
      if (this.#isUp) this.#toLeader.push(packet);
      return this.#isUp;
    }, this.#boot);
    sender.follow(1, this.#followed);
    return sender;
  }

  #logOf(term: number): number[] {
    const log = this.#logs.get(term) ?? [];
    this.#logs.set(term, log);
    return log;
  }

  #refusedOf(term: number): Set<number> {
    const refused = this.#refused.get(term) ?? new Set();
    this.#refused.set(term, refused);
    return refused;
  }
}

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<Step>("propose", "deliver") },
    { weight: 2, arbitrary: fc.constantFrom<Step>("answer", "tick") },
    { weight: 4, arbitrary: fc.constantFrom(...STEPS) },
  ),
  { maxLength: 120, size: "max" },
);

Deno.test("Forwarding decides each proposal once, whatever the link does", () => {
  fc.assert(
    fc.property(steps, (all) => {
      const world = new ForwardingWorld();
      for (const step of all) {
        world.run(step);
        world.check();
      }
      world.end();
    }),
    { numRuns: 3_000 },
  );
});
