/** `apflab story`: the incident library, and one incident as it happened or as it was repaired. */
import type { Args } from '../args.ts';
import { columns } from '../columns.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { INCIDENTS } from '../incidents.ts';
import { openOutput } from '../output.ts';
import { runAll } from '../runner.ts';
import { plannedStory, reasonsOf, type Story, stories, storyNamed, variantsOf } from '../stories.ts';
import type { Terminal } from '../terminal.ts';
import { TraceWriter } from '../trace_writer.ts';
import { FIX, FORMAT, TRACE } from '../verbs.ts';

export async function story(args: Args, terminal: Terminal): Promise<ExitCode> {
  const [name] = args.operands;
  if (name === undefined) {
    terminal.out.write(listText(stories(terminal), terminal.out.paint.strong));
    return EXIT.ok;
  }
  return tell(storyNamed(name, terminal), args, terminal);
}

async function tell(found: Story, args: Args, terminal: Terminal): Promise<ExitCode> {
  const fix = args.get(FIX);
  const path = args.get(TRACE);
  const trace = path === null ? null : openOutput(path, terminal);
  const verdicts = path === '-' ? terminal.err : terminal.out;
  const { paint } = verdicts;
  verdicts.write(`${paint.strong(found.title)}\n\n${found.about}\n\n`);
  const conduct = {
    verdicts,
    paranoid: false,
    bail: false,
    explore: null,
    trace: trace && new TraceWriter(trace, args.get(FORMAT)),
  };
  const runs = plannedStory(fix ? found.repaired : found.broken);
  const { code } = await runAll([{ file: found.file, diagnostics: [], runs }], conduct, terminal);
  trace?.close();
  verdicts.write(fix ? `\nrepaired: apflab story ${found.id} shows the incident\n` : endText(found));
  return code;
}

function endText(found: Story): string {
  const reasons = reasonsOf(found.broken).map(reason => `because ${reason}\n`);
  return `\n${reasons.join('')}repair: apflab story ${found.id} --fix\n`;
}

function listText(all: readonly Story[], strong: (text: string) => string): string {
  const rows = all.map(each => [
    each.id,
    `${each.title.replace(/^B\d+: /, '')}. Broken: ${variantsOf(each.broken).join(', ')}.`,
  ]);
  const untold = INCIDENTS.flatMap(({ id, outside }) => (outside ? [[id, `${outside.title}. ${outside.why}`]] : []));
  return `${columns(rows, { first: strong })}
apflab story NAME tells one, with --fix its repair.

Known, and outside of the model:

${columns(untold, { first: strong })}`;
}
