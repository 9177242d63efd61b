import { NodeError } from "../base/error.ts";
import { AdminUnreachableError } from "./errors.ts";
import { type Ask, firstAnswer, firstStatus } from "./first_answer.ts";
import {
  linkBeside,
  type LinkOptions,
  type MemberLink,
} from "./member_link.ts";

/** One that the others do not hear is not waited for as long. */
const AWAY_MS_MAX = 2_000;

/** What one member answered, or why it did not. */
export type MemberAnswer<T> =
  & { readonly member: string }
  & (
    | { readonly answer: T; readonly failure: null }
    | { readonly answer: null; readonly failure: NodeError }
  );

/** Asks each member at its own address, all at once; in the order of the status. */
export async function ofMembers<T>(
  options: LinkOptions & { readonly links: readonly MemberLink[] },
  ask: Ask<T>,
): Promise<readonly MemberAnswer<T>[]> {
  const { link, status } = await firstStatus(options.links, options);
  const nobody = [{ name: status.node, adminAddress: "", up: true }];
  const known = status.members.length === 0 ? nobody : status.members;
  return await Promise.all(
    known.map(async ({ name: member, adminAddress, up }) => {
      try {
        if (member !== status.node && adminAddress === "") {
          throw new AdminUnreachableError([]);
        }
        const own = member === status.node
          ? link
          : linkBeside(link, adminAddress, options);
        const timeoutMs = up
          ? options.timeoutMs
          : Math.min(options.timeoutMs, AWAY_MS_MAX);
        return {
          member,
          answer: await firstAnswer([own], { ...options, timeoutMs }, ask),
          failure: null,
        };
      } catch (failure) {
        if (!(failure instanceof NodeError)) throw failure;
        return { member, answer: null, failure };
      }
    }),
  );
}
