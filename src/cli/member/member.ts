import type { Command } from "@commander-js/extra-typings";
import type { ExitCode } from "../exit_code.ts";
import type { Services } from "../services.ts";
import { addMemberAdd } from "./add.ts";
import { addMemberPromote, addTransferLeader } from "./change.ts";
import { addMemberList } from "./list.ts";
import { addMemberRebuild } from "./rebuild.ts";
import { addMemberRemove } from "./remove.ts";

/** Adds `member` and the commands below it. */
export function addMember(
  program: Command,
  services: Services,
  finish: (code: ExitCode) => void,
): void {
  const member = program.command("member")
    .description("add, remove and rebuild members");
  addMemberList(member, services);
  addMemberAdd(member, services, finish);
  addMemberPromote(member, services);
  addMemberRemove(member, services);
  addTransferLeader(member, services);
  addMemberRebuild(member, services);
}
