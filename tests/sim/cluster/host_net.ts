import type { Bytes } from "../../../src/base/bytes.ts";
import type { Net, NetConnection, NetListener } from "../../../src/io/net.ts";
import type { Dice } from "../raft/dice.ts";
import type { Life } from "./life.ts";

/** From the network card to the process. */
const HEAR_MS_MAX = 0.05;
/** Every so many pieces arrives in two parts. */
const SPLIT_CHANCE = 0.05;

/** The network as one life of a machine sees it. */
export function hostNet(life: Life, net: Net, dice: Dice): Net {
  const hear = <T>(pending: Promise<T>) =>
    life.hear(pending, dice.u32() / 2 ** 32 * HEAR_MS_MAX);
  return {
    listen: async (options) =>
      hostListener(await hear(net.listen(options)), hear, dice),
    connect: async (options) => {
      const pending = net.connect(options);
      life.whenEnded(() => void pending.then((late) => late.close(), () => {}));
      return hostConnection(await hear(pending), hear, dice);
    },
  };
}

type Hear = <T>(pending: Promise<T>) => Promise<T>;

function hostListener(
  listener: NetListener,
  hear: Hear,
  dice: Dice,
): NetListener {
  return {
    address: listener.address,
    accept: async () => {
      const connection = await hear(listener.accept());
      return connection === null
        ? null
        : hostConnection(connection, hear, dice);
    },
    close: () => listener.close(),
  };
}

function hostConnection(
  connection: NetConnection,
  hear: Hear,
  dice: Dice,
): NetConnection {
  let rest: Bytes | null = null;
  return {
    remote: connection.remote,
    read: async () => {
      const bytes = rest ?? await hear(connection.read());
      rest = null;
      if (bytes === null || bytes.length < 2) return bytes;
      if (!dice.chance(SPLIT_CHANCE)) return bytes;
      const at = dice.between(1, bytes.length - 1);
      rest = bytes.slice(at);
      return bytes.slice(0, at);
    },
    write: (bytes) => connection.write(bytes),
    close: () => connection.close(),
  };
}
