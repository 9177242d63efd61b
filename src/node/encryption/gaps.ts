import type { Clock } from "../../io/clock.ts";
import { KekUnavailableError } from "../../keys/kek_errors.ts";
import type { CustodyGap, KeyCustody } from "../../keys/port.ts";

/** A key service that is up answers long before; its retries take longer. */
const PROBE_MS_MAX = 5_000;

/** What stands in the way here; a KEK that does not answer in time, too. */
export async function gapsInTime(
  custody: KeyCustody,
  clock: Clock,
): Promise<readonly CustodyGap[]> {
  const { promise, resolve } = Promise.withResolvers<readonly CustodyGap[]>();
  const timer = clock.after(PROBE_MS_MAX, () => {
    const [kek = ""] = custody.kekIds;
    const cause = new KekUnavailableError(
      kek,
      "unreachable",
      `it must answer within ${PROBE_MS_MAX} ms`,
      "Bring its provider back",
    );
    resolve([{ kind: "kek", cause }]);
  });
  try {
    return await Promise.race([custody.gaps(), promise]);
  } finally {
    timer.cancel();
  }
}
