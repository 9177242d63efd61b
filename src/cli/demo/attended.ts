import type { ExitCode } from "../exit_code.ts";
import { transcriptFile } from "../rollout/transcript_file.ts";
import { loadScreens, screenWorld } from "../screens.ts";
import type { Services } from "../services.ts";
import { wrapped } from "../wrap.ts";
import {
  complaintsOf,
  DEMO_OVER,
  findingLines,
  writerLine,
} from "./evidence.ts";
import { adminOf } from "./place.ts";
import type { DemoSite } from "./site.ts";

const CHOICES = { accept: [], bytesPerSecond: 0, dwellUntilMs: 0 };

/** Said while the wizard is there. */
const ENDING = "The demo ends with this screen: its nodes stop, and ";

/**
 * Opens the wizard on the demo, with a pane of what is found on its disks, and
 * says afterwards how it stands.
 */
export async function runAttended(
  services: Services,
  site: DemoSite,
): Promise<ExitCode> {
  const { client, place, writer, finder, isKept } = site;
  const { openWizard } = await loadScreens(services, {
    what: "the wizard",
    instead: "Use `sealkv demo --auto`, or open it on a terminal",
  });
  // The first picture has something to show.
  await finder.look(true);
  finder.start();
  const world = screenWorld(services, { client, admin: adminOf(place) });
  const transcript = `${place.dir}/rollout.sh`;
  const { exitCode, report } = await openWizard(world, {
    isReadOnly: false,
    choices: CHOICES,
    transcript: await transcriptFile(services, transcript),
    demo: {
      canary: place.canary,
      ending: `${ENDING}what they keep ${isKept ? "stays" : "goes"}.`,
      writes: () => writer.counts,
      findings: () => finder.findings,
    },
  });
  const lines = [
    ...isKept ? [`The commands of it: ${transcript}`] : [],
    ...await endLines(site),
  ].flatMap(wrapped);
  services.terminal.out.write(`${[...report, ...lines].join("\n")}\n`);
  return exitCode as ExitCode;
}

/** How it stands on the disks, and with the programs. */
async function endLines(
  { place, nodes, writer, finder }: DemoSite,
): Promise<readonly string[]> {
  const { counts } = writer;
  const findings = await finder.look(true);
  const isOver = complaintsOf(findings, counts).length === 0;
  return [
    "",
    `On the disks, looking for ${place.canary}:`,
    ...findingLines(findings),
    writerLine(counts),
    isOver
      ? DEMO_OVER
      : "It was left before its end; `sealkv demo --auto` goes there by itself.",
    ...nodes.ends.map((end) =>
      `The ${end.program} has ended, exit code ${end.exitCode}.`
    ),
    "",
    "The nodes stop now.",
  ];
}
