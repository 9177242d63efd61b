import { deepEqual, equal, rejects } from "node:assert/strict";
import { Code, ConnectError } from "@connectrpc/connect";
import { AdminUnreachableError } from "../../../src/admin/errors.ts";
import {
  type Ask,
  firstAnswer,
  firstStatus,
} from "../../../src/admin/first_answer.ts";
import {
  type LinkOptions,
  linkTo,
  type MemberLink,
} from "../../../src/admin/member_link.ts";
import { eagerClock } from "../rollout/eager_clock.ts";

type Habit = "answers" | "frozen" | "down";

/** Members by what they do when they are asked. */
class Members {
  readonly asked: string[] = [];
  /** Those whose call was ended from here. */
  readonly cut: string[] = [];
  readonly links: readonly MemberLink[];
  readonly habits: Record<string, Habit>;
  readonly #options: LinkOptions = {
    ...{ token: "", actor: "", timeoutMs: 10_000, clock: eagerClock() },
    http: { fetch: () => Promise.reject(new TypeError()), close() {} },
  };

  constructor(habits: Record<string, Habit>) {
    this.habits = habits;
    this.links = Object.keys(habits)
      .map((name) => linkTo(name, this.#options));
  }

  first(): Promise<string> {
    return firstAnswer(this.links, this.#options, this.#ask);
  }

  readonly #ask: Ask<string> = async ({ baseUrl }, { signal }) => {
    this.asked.push(baseUrl);
    if (this.habits[baseUrl] === "answers") return baseUrl;
    if (this.habits[baseUrl] === "down") {
      throw new ConnectError("refused", Code.Unavailable);
    }
    const { promise, reject } = Promise.withResolvers<never>();
    signal?.addEventListener("abort", () => {
      this.cut.push(baseUrl);
      reject(new ConnectError("ended", Code.Canceled));
    });
    return await promise;
  };
}

Deno.test("firstAnswer() asks nobody else while the first one answers", async () => {
  const members = new Members({ n1: "answers", n2: "answers" });
  equal(await members.first(), "n1");
  deepEqual(members.asked, ["n1"]);
});

Deno.test("firstAnswer() asks the next one beside one that stands still, and ends that call", async () => {
  const members = new Members({ n1: "frozen", n2: "answers" });
  equal(await members.first(), "n2");
  deepEqual(members.cut, ["n1"]);
});

Deno.test("firstAnswer() asks who stood still last from then on", async () => {
  const members = new Members({ n1: "frozen", n2: "answers" });
  await members.first();
  members.asked.length = 0;
  equal(await members.first(), "n2");
  deepEqual(members.asked, ["n2"]);
  members.habits["n1"] = "answers";
  members.habits["n2"] = "down";
  equal(await members.first(), "n1");
  deepEqual(members.asked.slice(1), ["n2", "n1"]);
});

Deno.test("firstAnswer() names all when none answers", async () => {
  const members = new Members({ n1: "down", n2: "down" });
  await rejects(members.first(), (error) => {
    return error instanceof AdminUnreachableError &&
      error.addresses.join() === "n1,n2";
  });
});

Deno.test("firstStatus() is one question for all who ask in the same turn", async () => {
  let sent = 0;
  const fetch = () => {
    sent += 1;
    return Promise.reject(new TypeError("nobody is there"));
  };
  const options: LinkOptions = {
    ...{ token: "", actor: "", timeoutMs: 10_000, clock: eagerClock() },
    http: { fetch, close() {} },
  };
  const links = [linkTo("http://n1", options)];
  const ask = () => rejects(firstStatus(links, options), AdminUnreachableError);
  await Promise.all([ask(), ask(), ask()]);
  equal(sent, 1);
  await ask();
  equal(sent, 2);
});
