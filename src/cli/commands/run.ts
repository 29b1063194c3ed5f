/** `apflab run`: scenarios to verdicts, headless. */
import type { Args } from '../args.ts';
import { sayDiagnostics } from '../diagnostics.ts';
import type { ExitCode } from '../exit.ts';
import { checkDestinations, type Destination, openOutput } from '../output.ts';
import { type Plan, planOf, selectionOf } from '../plan.ts';
import { recordedRuns } from '../record.ts';
import { destinationsOf, openReports, type Print, requestsOf } from '../reports.ts';
import { type Conduct, type Result, runAll } from '../runner.ts';
import type { Terminal } from '../terminal.ts';
import { TraceWriter } from '../trace_writer.ts';
import { BAIL, FORMAT, PARANOID, RECORD, REPORT, TRACE } from '../verbs.ts';

export async function run(args: Args, terminal: Terminal): Promise<ExitCode> {
  const plan = planOf(args.operands, selectionOf(args), terminal);
  for (const { diagnostics } of plan.files) sayDiagnostics(diagnostics, terminal.err);
  const { code, entries } = await report(
    plan,
    plan.files.map(({ file }) => file),
    args,
    terminal,
  );
  if (entries.some(({ end }) => end.kind === 'ran' && end.shown !== null))
    (await import('../reacting.ts')).writeRuns(entries, terminal);
  return code;
}

/** Something else to do with each program, and how that looks to programs. */
export interface Instead {
  readonly explore: Conduct['explore'];
  readonly json: Print;
}

/** Runs a plan with the trace, the reports and the run file that the flags ask for. */
export async function report(
  plan: Plan,
  inputs: readonly string[],
  args: Args,
  terminal: Terminal,
  instead: Instead | null = null,
): Promise<Result> {
  const requests = requestsOf(args.get(REPORT));
  const named = [TRACE, RECORD].flatMap((flag): Destination[] => {
    const path = args.get(flag);
    return path === null ? [] : [[`--${flag.name}`, path]];
  });
  const destinations = [...named, ...destinationsOf(requests)];
  checkDestinations(destinations, inputs, terminal);

  const [trace, record] = [TRACE, RECORD].map(flag => {
    const path = args.get(flag);
    return path === null ? null : openOutput(path, terminal);
  });
  const writeReports = openReports(requests, terminal, instead?.json);
  const conduct = {
    verdicts: destinations.some(([, path]) => path === '-') ? terminal.err : terminal.out,
    paranoid: args.get(PARANOID),
    bail: args.get(BAIL),
    trace: trace ? new TraceWriter(trace, args.get(FORMAT)) : null,
    explore: instead?.explore ?? null,
  };
  const result = await runAll(plan.files, conduct, terminal);
  // Half a report would pass for a whole one.
  if (!result.cut_short) {
    writeReports(result.entries);
    if (record) record.write(await recordedRuns(plan, result.entries));
  }
  trace?.close();
  record?.close();
  return result;
}
