import type { KeyBinding } from "../key_table.ts";
import type { DemoSeen } from "./demo_seen.ts";

/** Every key of the wizard; footers and the help are made of these. */
export const KEYS = {
  move: binding("Up/Dn", "move", "Go to the step above or below."),
  plan: binding(
    "Enter",
    "plan",
    "Show what the selected step would do, as the leader says it now; nothing starts.",
  ),
  confirm: binding(
    "Enter",
    "confirm",
    "On the plan of a one-way step: go on to type the cluster's name.",
  ),
  start: binding(
    "Enter",
    "start",
    "On the plan of any other step: start it.",
  ),
  back: binding(
    "Esc",
    "back",
    "Go back without doing anything; on the overview, to the next step.",
  ),
  pane: binding(
    "Tab",
    "pane",
    "Show the step, the members, the commands, and in a demo its disks.",
  ),
  page: binding("PgUp/PgDn", "", "Scroll what does not fit."),
  escrow: binding(
    "e",
    "escrow check",
    "On the first step: show that a copy of the KEK is kept elsewhere.",
  ),
  dwell: binding(
    "d",
    "dwell",
    "On the rewrite: how long later one-way steps are held back.",
  ),
  rate: binding(
    "+/-",
    "rate",
    "On the rewrite: faster or slower; t lists all.",
  ),
  pause: binding(
    "p",
    "pause/go on",
    "On a rewrite that runs: pause it, or let it go on.",
  ),
  risks: binding(
    "r",
    "risks",
    "Accept what the server refuses without: each is written down.",
  ),
  commands: binding("c", "choose", "Take only one of a step's commands."),
  all: binding(
    "a",
    "all checks",
    "Show each check that passes, or their names.",
  ),
  issues: binding("i", "issues only", "Show only what does not pass."),
  log: binding("l", "log", "Show all commands and what others did."),
  scroll: binding("Up/Dn", "scroll", ""),
  take: binding("Enter", "take", ""),
  goOn: binding("Enter", "go on", ""),
  leaveNow: binding("Enter", "leave", ""),
  stay: binding("Esc", "stay", ""),
  help: binding("?", "help", "Show this."),
  leave: binding(
    "q",
    "leave",
    "Leave; what runs goes on. Ctrl-C leaves too; a second one does not ask.",
  ),
} as const satisfies Readonly<Record<string, KeyBinding>>;

/** Those that the help explains. */
export function helpKeys(demo: DemoSeen | null): readonly KeyBinding[] {
  const { leave } = KEYS;
  const last = demo === null ? leave : { ...leave, does: demo.ending };
  return Object.values(KEYS).filter(({ does }) => does !== "")
    .map((key) => key === leave ? last : key);
}

export function helpNotes(demo: DemoSeen | null): readonly string[] {
  const marks =
    "[x] done, [ ] ready or later, [~] running, [!] blocked or failed; 1W: one way, it is never taken back. [w] warns and never blocks.";
  const source = demo === null
    ? "All of it is read from the cluster, every two seconds: the wizard can be killed at any moment, opened twice, and opened again. Steps go on without it."
    : `Each value that the demo's program writes has the text ${demo.canary}. It is looked for in every byte of every file that the nodes keep.`;
  return [marks, source];
}

function binding(keys: string, brief: string, does: string): KeyBinding {
  return { keys, brief, does };
}
