import type { ExitCode } from "../exit_code.ts";
import { transcriptFile } from "../rollout/transcript_file.ts";
import { loadScreens, screenWorld } from "../screens.ts";
import type { Services } from "../services.ts";
import { wrapped } from "../wrap.ts";
import { findingLines, writerLine } from "./evidence.ts";
import { adminOf } from "./place.ts";
import type { DemoSite } from "./site.ts";

const CHOICES = { accept: [], bytesPerSecond: 0, dwellUntilMs: 0 };

/**
 * Opens the wizard on the demo, with a pane of what is found on its disks, and
 * says afterwards how it stands.
 */
export async function runAttended(
  services: Services,
  site: DemoSite,
): Promise<ExitCode> {
  const { client, place, nodes, writer, finder } = site;
  const { openWizard } = await loadScreens(services, {
    what: "the wizard",
    instead: "Use `sealkv demo --auto`, or open it on a terminal",
  });
  // The first picture has something to show.
  await finder.look(true);
  finder.start();
  const world = screenWorld(services, { client, admin: adminOf(place) });
  const { exitCode, report } = await openWizard(world, {
    isReadOnly: false,
    choices: CHOICES,
    transcript: await transcriptFile(services, `${place.dir}/rollout.sh`),
    demo: {
      canary: place.canary,
      writes: () => writer.counts,
      findings: () => finder.findings,
    },
  });
  const lines = [
    "",
    site.isKept
      ? "The nodes of the demo stop now; what they keep stays."
      : "The nodes of the demo stop now, and all they keep goes, the " +
        "transcript too; --keep keeps it.",
    "",
    `On the disks, looking for ${place.canary}:`,
    ...findingLines(await finder.look(true)),
    writerLine(writer.counts),
    ...nodes.ends.map((end) =>
      `The ${end.program} has ended, exit code ${end.exitCode}.`
    ),
  ].flatMap(wrapped);
  services.terminal.out.write(`${[...report, ...lines].join("\n")}\n`);
  return exitCode as ExitCode;
}
