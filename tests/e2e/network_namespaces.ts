/*
 * A network of one's own for each member: two links, one that clients use and
 * one between members, either of which can be cut. Needs the right to make
 * namespaces: without it `HAS_NAMESPACES` is false, and tests are ignored.
 *
 *     this process ── bridge c ── member.c     10.x.y.0/24, clients and admin
 *                     bridge p ── member.p     10.x.z.0/24, members
 */
import { AssertionError, equal } from "node:assert/strict";
import type { MemberPlace } from "./cluster_process.ts";

const NETWORKS = ["c", "p"] as const;
type Network = (typeof NETWORKS)[number];

export class NetworkNamespaces implements AsyncDisposable {
  /** Four hex digits: names of links hold 15 characters at most. */
  readonly #id: string;
  /** First three parts of the addresses. */
  readonly #prefix: Readonly<Record<Network, string>>;
  readonly #count: number;

  private constructor(count: number) {
    const [a, b] = crypto.getRandomValues(new Uint8Array(2));
    this.#count = count;
    this.#id = [a!, b!].map((byte) => byte.toString(16).padStart(2, "0"))
      .join("");
    // Two neighbours: an even third part and the odd one above it.
    this.#prefix = { c: `10.${a}.${b! & 0xfe}`, p: `10.${a}.${b! | 1}` };
  }

  /** Networks for `count` members. */
  static async make(count: number): Promise<NetworkNamespaces> {
    const made = new NetworkNamespaces(count);
    try {
      await made.#make();
      return made;
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where the member counted from 0 lives. */
  place(index: number): Partial<MemberPlace> {
    return {
      hostname: this.#address("c", index),
      peerHostname: this.#address("p", index),
      wrap: ["ip", "netns", "exec", this.#namespace(index)],
      // Nobody else is on these networks.
      args: ["--insecure"],
    };
  }

  /** Cuts a member from the others; clients still reach it. */
  isolate(index: number): Promise<void> {
    return ip(`link set ${this.#outside("p", index)} down`);
  }

  rejoin(index: number): Promise<void> {
    return ip(`link set ${this.#outside("p", index)} up`);
  }

  async #make(): Promise<void> {
    for (const network of NETWORKS) {
      const bridge = this.#bridge(network);
      await ip(`link add ${bridge} type bridge`);
      await ip(`link set ${bridge} up`);
    }
    const gateway = `${this.#prefix.c}.254/24`;
    await ip(`address add ${gateway} dev ${this.#bridge("c")}`);
    for (let index = 0; index < this.#count; index += 1) {
      const namespace = this.#namespace(index);
      await ip(`netns add ${namespace}`);
      await ip(`-n ${namespace} link set lo up`);
      for (const network of NETWORKS) await this.#link(network, index);
    }
  }

  async #link(network: Network, index: number): Promise<void> {
    const namespace = this.#namespace(index);
    const outside = this.#outside(network, index);
    const address = `${this.#address(network, index)}/24`;
    await ip(
      `link add ${outside} type veth peer name ${network} netns ${namespace}`,
    );
    await ip(`link set ${outside} master ${this.#bridge(network)} up`);
    await ip(`-n ${namespace} address add ${address} dev ${network}`);
    await ip(`-n ${namespace} link set ${network} up`);
  }

  #address(network: Network, index: number): string {
    return `${this.#prefix[network]}.${index + 1}`;
  }

  #namespace(index: number): string {
    return `skv${this.#id}n${index}`;
  }

  #outside(network: Network, index: number): string {
    return `skv${this.#id}${network}${index}`;
  }

  #bridge(network: Network): string {
    return `skv${this.#id}${network}b`;
  }

  /** Takes away whatever of it was made. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (let index = 0; index < this.#count; index += 1) {
      await attempt(`netns del ${this.#namespace(index)}`);
    }
    for (const network of NETWORKS) {
      await attempt(`link del ${this.#bridge(network)}`);
    }
  }
}

async function ip(words: string): Promise<void> {
  const { code, stderr } = await attempt(words);
  equal(code, 0, `ip ${words}: ${new TextDecoder().decode(stderr)}`);
}

function attempt(words: string): Promise<Deno.CommandOutput> {
  return new Deno.Command("ip", { args: words.split(" ") }).output();
}

async function canMake(): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  try {
    await using networks = await NetworkNamespaces.make(1);
    return networks !== null;
  } catch (error) {
    if (error instanceof AssertionError) return false;
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** True where this process may make network namespaces and links. */
export const HAS_NAMESPACES = await canMake();
