import type {
  ChangeUnderWay,
  EncryptionRequest,
  MemberTask,
} from "../encryption_port.ts";

const UNHEARD: Omit<MemberTask, "member"> = {
  state: "waiting",
  ...{ done: 0, total: 0, bytes: 0, elapsedMs: 0, failure: "" },
};

/** The long change of this leader, as members have last told of it. */
export class UnderWay {
  #change: ChangeUnderWay | null = null;

  /** `null` for none. */
  get change(): ChangeUnderWay | null {
    return this.#change;
  }

  /** Runs `change`, which members with these names have a part in. */
  async during<T>(
    action: EncryptionRequest["kind"],
    names: readonly string[],
    change: () => Promise<T>,
  ): Promise<T> {
    const members = names.map((member) => ({ member, ...UNHEARD }));
    this.#change = { action, members };
    try {
      return await change();
    } finally {
      this.#change = null;
    }
  }

  /** News of some of its members; the others stay as they were. */
  told(news: readonly MemberTask[]): void {
    if (this.#change === null) return;
    const members = this.#change.members.map((task) =>
      news.find(({ member }) => member === task.member) ?? task
    );
    this.#change = { ...this.#change, members };
  }
}
