import { Changer, type ChangeRefusal } from "../../src/raft/changer.ts";
import {
  describeConfig,
  type Membership,
  NO_MEMBERSHIP,
} from "../../src/raft/membership.ts";
import { describeProgressMap } from "../../src/raft/progress.ts";
import { parseChanges } from "./conf_change_input.ts";
import { argValue, type Directive } from "./datadriven.ts";

const INFLIGHTS = { countMax: 10, bytesMax: 0 };

/** Runs `simple`, `enter-joint` and `leave-joint` on one membership. */
export function makeConfChangeHandler(): (directive: Directive) => string {
  let membership = NO_MEMBERSHIP;
  let lastIndex = 0;
  return (directive) => {
    const options = { lastIndex, inflights: INFLIGHTS };
    const changer = new Changer(membership, options);
    lastIndex += 1;
    const next = run(changer, directive);
    if (typeof next === "string") return `${next}\n`;
    membership = next;
    return `${describeConfig(next.config)}\n` +
      describeProgressMap(next.progress);
  };
}

function run(
  changer: Changer,
  directive: Directive,
): Membership | ChangeRefusal {
  const changes = parseChanges(directive.input);
  switch (directive.command) {
    case "simple":
      return changer.simple(changes);
    case "enter-joint":
      return changer.enterJoint(changes, {
        autoLeave: argValue(directive, "autoleave", "false") === "true",
      });
    case "leave-joint":
      if (changes.length > 0) return "this command takes no input";
      return changer.leaveJoint();
    default:
      return `unknown command: ${directive.command}`;
  }
}
