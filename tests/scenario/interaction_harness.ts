import { EMPTY_BYTES, utf8 } from "../../src/base/bytes.ts";
import {
  encodeConfChange,
  TRANSITION_AUTO,
  TRANSITION_EXPLICIT,
  TRANSITION_IMPLICIT,
} from "../../src/raft/conf_change.ts";
import { isVoter } from "../../src/raft/membership.ts";
import {
  draftMessage,
  MESSAGE_NAMES,
  MSG_SNAP,
} from "../../src/raft/message.ts";
import type { RaftOptions } from "../../src/raft/options.ts";
import { describeProgressMap } from "../../src/raft/progress.ts";
import {
  ENTRY_CONF_CHANGE_V1,
  ENTRY_CONF_CHANGE_V2,
  type Snapshot,
} from "../../src/raft/types.ts";
import { parseChanges } from "./conf_change_input.ts";
import {
  argValue,
  argValues,
  type Directive,
  numericArgs,
  parseTranscript,
} from "./datadriven.ts";
import { formatMessage } from "./format.ts";
import {
  CommandError,
  InteractionEnv,
  STATE_NAMES,
  type TestNode,
} from "./interaction_env.ts";

type Command = (env: InteractionEnv, directive: Directive) => void;

const TRANSITIONS = {
  auto: TRANSITION_AUTO,
  implicit: TRANSITION_IMPLICIT,
  explicit: TRANSITION_EXPLICIT,
} as const;

const COMMANDS: Readonly<Record<string, Command>> = {
  "_breakpoint": () => {},
  "add-nodes": addNodes,
  "campaign": (env, directive) => first(env, directive).raw.campaign(),
  "compact": compact,
  "deliver-msgs": deliverMessages,
  "forget-leader": (env, directive) => first(env, directive).raw.forgetLeader(),
  "log-level": (env, { args }) => env.output.setLevel(args[0]?.key ?? ""),
  "process-append-thread": (env, directive) =>
    each(
      env,
      directive,
      "processing append thread",
      (node) => env.processAppendThread(node),
    ),
  "process-apply-thread": (env, directive) =>
    each(
      env,
      directive,
      "processing apply thread",
      (node) => env.processApplyThread(node),
    ),
  "process-ready": (env, directive) =>
    each(env, directive, "handling Ready", (node) => env.processReady(node)),
  "propose": (env, directive) => {
    const data = utf8(directive.args[1]?.key ?? "");
    env.check(first(env, directive).raw.propose(data));
  },
  "propose-conf-change": proposeConfChange,
  "raft-log": (env, directive) => env.printLog(first(env, directive)),
  "raft-state": printState,
  "report-unreachable": (env, directive) => {
    const [, peer = 0] = numericArgs(directive);
    first(env, directive).raw.reportUnreachable(peer);
  },
  "send-snapshot": sendSnapshot,
  "set-randomized-election-timeout": (env, directive) => {
    const { state } = first(env, directive).raw;
    state.electionTimeout = Number(argValue(directive, "timeout", ""));
  },
  "stabilize": stabilize,
  "status": printProgress,
  "tick-election": (env, directive) =>
    tick(first(env, directive), "electionTicks"),
  "tick-heartbeat": (env, directive) =>
    tick(first(env, directive), "heartbeatTicks"),
  "transfer-leadership": (env, directive) => {
    const from = Number(argValue(directive, "from", "0"));
    env.node(from).raw.transferLeader(Number(argValue(directive, "to", "0")));
  },
};

/** Runs the commands of one transcript on nodes of its own. */
export function makeInteractionHandler(): (directive: Directive) => string {
  const env = new InteractionEnv();
  return (directive) => {
    env.output.text = "";
    try {
      runAll(env, directive);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      if (env.output.isQuiet) return error.message;
      env.output.write(error.message);
    }
    return env.output.text === "" ? "ok" : env.output.text;
  };
}

/** Input lines are further commands, except where they are the input. */
function runAll(env: InteractionEnv, directive: Directive): void {
  run(env, directive);
  if (directive.command === "propose-conf-change") return;
  for (const line of directive.input.split("\n")) {
    if (line.trim() === "") continue;
    const [next] = parseTranscript(`${line}\n----\n`);
    if (next !== undefined) run(env, next);
  }
}

function run(env: InteractionEnv, directive: Directive): void {
  const command = COMMANDS[directive.command];
  if (command === undefined) throw new CommandError("unknown command");
  command(env, directive);
}

function first(env: InteractionEnv, directive: Directive): TestNode {
  return env.node(numericArgs(directive)[0] ?? 0);
}

function each(
  env: InteractionEnv,
  directive: Directive,
  title: string,
  process: (node: TestNode) => void,
): void {
  const ids = numericArgs(directive);
  for (const id of ids) {
    const node = env.node(id);
    if (ids.length === 1) {
      process(node);
      continue;
    }
    env.output.write(`> ${id} ${title}\n`);
    env.output.indent(() => process(node));
  }
}

function addNodes(env: InteractionEnv, directive: Directive): void {
  const ids = (key: string) =>
    (argValues(directive, key) ?? []).map(Number).sort((a, b) => a - b);
  const index = Number(argValue(directive, "index", "0"));
  const content = argValue(directive, "content", "");
  const [voters, learners] = [ids("voters"), ids("learners")];
  const isBootstrap = voters.length > 0 || learners.length > 0 ||
    index > 0 || content !== "";
  const confState = {
    voters,
    votersOutgoing: [],
    learners,
    learnersNext: [],
    autoLeave: false,
  };
  const snapshot: Snapshot = {
    data: content === "" ? EMPTY_BYTES : utf8(content),
    metadata: { index, term: 1, confState },
  };
  env.addNodes(numericArgs(directive)[0] ?? 0, {
    snapshot: isBootstrap ? snapshot : null,
    asyncStorage: flag(directive, "async-storage-writes") ?? false,
    options: { applied: index, ...nodeOptions(directive) },
  });
}

function nodeOptions(directive: Directive): Partial<RaftOptions> {
  const options: { -readonly [Key in keyof RaftOptions]?: RaftOptions[Key] } =
    {};
  const inflight = argValue(directive, "inflight", "");
  if (inflight !== "") options.inflightCountMax = Number(inflight);
  const applyBytes = argValue(directive, "max-committed-size-per-ready", "0");
  if (applyBytes !== "0") options.applyBytesMax = Number(applyBytes);
  options.preVote = flag(directive, "prevote") ?? false;
  options.checkQuorum = flag(directive, "checkquorum") ?? false;
  options.stepDownOnRemoval = flag(directive, "step-down-on-removal") ?? false;
  options.vetConfChanges =
    !(flag(directive, "disable-conf-change-validation") ?? false);
  const readOnly = argValue(directive, "read-only", "safe");
  if (readOnly !== "safe" && readOnly !== "lease-based") {
    throw new CommandError(`invalid read-only option "${readOnly}"`);
  }
  options.leaseReads = readOnly === "lease-based";
  return options;
}

function flag(directive: Directive, key: string): boolean | null {
  const values = argValues(directive, key);
  return values === null ? null : values[0] === "true";
}

function compact(env: InteractionEnv, directive: Directive): void {
  const node = first(env, directive);
  const [, index = 0] = numericArgs(directive);
  if (!node.storage.compact(index)) {
    throw new CommandError(
      "requested index is unavailable due to compaction",
    );
  }
  env.printLog(node);
}

function deliverMessages(env: InteractionEnv, directive: Directive): void {
  const typeName = argValue(directive, "type", "");
  const names: readonly string[] = MESSAGE_NAMES;
  const type = typeName === "" ? null : names.indexOf(typeName);
  if (type === -1) throw new CommandError(`unknown type ${typeName}`);
  let count = 0;
  for (const { key, values } of directive.args) {
    if (values.length === 0) {
      count += env.deliver(Number(key), { type, drop: false });
    } else if (key === "drop") {
      for (const id of values) {
        count += env.deliver(Number(id), { type, drop: true });
      }
    }
  }
  if (count === 0) env.output.write("no messages\n");
}

function proposeConfChange(env: InteractionEnv, directive: Directive): void {
  const name = argValue(directive, "transition", "auto");
  if (!isTransitionName(name)) {
    throw new CommandError(`unknown transition ${name}`);
  }
  const changes = parseChanges(directive.input);
  const isV1 = flag(directive, "v1") ?? false;
  if (isV1 && (changes.length > 1 || name !== "auto")) {
    throw new CommandError(
      "v1 conf change can only have one operation and no transition",
    );
  }
  const data = encodeConfChange({
    transition: TRANSITIONS[name],
    changes,
    context: EMPTY_BYTES,
  });
  const type = isV1 ? ENTRY_CONF_CHANGE_V1 : ENTRY_CONF_CHANGE_V2;
  env.check(first(env, directive).raw.propose(data, type));
}

function isTransitionName(name: string): name is keyof typeof TRANSITIONS {
  return name in TRANSITIONS;
}

function printState(env: InteractionEnv): void {
  for (const { id, raw: { state } } of env.nodes) {
    const kind = isVoter(state.membership.config, id)
      ? "(Voter)"
      : "(Non-Voter)";
    env.output.write(
      `${id}: ${STATE_NAMES[state.role]} ${kind} Term:${state.term} ` +
        `Lead:${state.lead}\n`,
    );
  }
}

function printProgress(env: InteractionEnv, directive: Directive): void {
  const { state } = first(env, directive).raw;
  if (state.role !== "leader") return;
  env.output.write(describeProgressMap(state.membership.progress));
}

function sendSnapshot(env: InteractionEnv, directive: Directive): void {
  const [from = 0, to = 0] = numericArgs(directive);
  const { raw, storage } = env.node(from);
  const message = draftMessage(MSG_SNAP, to);
  message.from = from;
  message.term = raw.state.term;
  message.snapshot = storage.snapshot();
  env.messages.push(message);
  env.output.write(formatMessage(message));
}

function stabilize(env: InteractionEnv, directive: Directive): void {
  const { level } = env.output;
  const wanted = argValue(directive, "log-level", "");
  if (wanted !== "") env.output.setLevel(wanted);
  try {
    const ids = numericArgs(directive);
    const nodes = ids.length === 0 ? env.nodes : ids.map((id) => env.node(id));
    while (stabilizeOnce(env, nodes));
  } finally {
    env.output.level = level;
  }
}

/** One pass over `nodes`; false when there was nothing to do. */
function stabilizeOnce(
  env: InteractionEnv,
  nodes: readonly TestNode[],
): boolean {
  let isDone = true;
  const work = (id: number, title: string, run: () => void) => {
    env.output.write(`> ${id} ${title}\n`);
    run();
    isDone = false;
  };
  for (const node of nodes) {
    if (!node.raw.hasReady()) continue;
    work(
      node.id,
      "handling Ready",
      () => env.output.indent(() => env.processReady(node)),
    );
  }
  for (const { id } of nodes) {
    if (!env.hasMessagesTo(id)) continue;
    work(
      id,
      "receiving messages",
      () =>
        env.output.indent(() => env.deliver(id, { type: null, drop: false })),
    );
  }
  for (const node of nodes) {
    if (node.appendWork.length === 0) continue;
    work(node.id, "processing append thread", () => {
      while (node.appendWork.length > 0) {
        env.output.indent(() => env.processAppendThread(node));
      }
    });
  }
  for (const node of nodes) {
    if (node.applyWork.length === 0) continue;
    work(node.id, "processing apply thread", () => {
      while (node.applyWork.length > 0) {
        env.output.indent(() => env.processApplyThread(node));
      }
    });
  }
  return !isDone;
}

function tick(
  { raw }: TestNode,
  kind: "electionTicks" | "heartbeatTicks",
): void {
  const count = raw.state.options[kind];
  for (let i = 0; i < count; i += 1) raw.tick();
}
