/** `apflab why`: why a vCPU runs or does not, and how a task, a page or a token got where it is. */
import { durationNs, durationText } from '../../base/duration.ts';
import { printable } from '../../base/printable.ts';
import { caseTitle } from '../../report/result.ts';
import type { Program } from '../../sim/program.ts';
import { createSimulation } from '../../sim/simulation.ts';
import { type Explanation, explain, type Moment } from '../../sim/why/explain.ts';
import { explanationLines } from '../../sim/why/text.ts';
import type { Args } from '../args.ts';
import { hanging } from '../columns.ts';
import { hasErrors, sayDiagnostics } from '../diagnostics.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { readBytes } from '../files.ts';
import { type Plan, planOf, planOfRunFile, selectionOf } from '../plan.ts';
import { Refusal } from '../refusal.ts';
import { isRunFile, readRunFile } from '../run_file.ts';
import { subjectNamed } from '../subject.ts';
import type { Terminal } from '../terminal.ts';
import { EXPLANATION, MOMENT } from '../verbs.ts';

export async function why(args: Args, terminal: Terminal): Promise<ExitCode> {
  const [path = '', object = ''] = args.operands;
  const { files } = await planned(path, args, terminal);
  const broken = files.filter(({ diagnostics }) => hasErrors(diagnostics));
  if (broken.length > 0) {
    sayDiagnostics(
      broken.flatMap(({ diagnostics }) => diagnostics),
      terminal.err,
    );
    return EXIT.invalid;
  }
  const runs = files.flatMap(({ file, runs: own }) => own.map(run => ({ file, run })));
  const [first] = runs;
  if (!first) throw new Refusal(`nothing to run in ${path}`);
  const { program, diagnostics } = first.run.lower();
  if (!program) {
    sayDiagnostics(diagnostics, terminal.err);
    return EXIT.invalid;
  }
  const subject = subjectNamed(object, program);
  const moment = momentOf(args, program);
  const explanation = explain(program, subject, moment.until);
  const run = `${first.file}: ${caseTitle(first.run)} on ${program.variant}, seed ${program.seed}`;
  const others = runs.length > 1 ? `, the first of ${runs.length} runs: --grep, --variants and --set choose` : '';
  if (args.get(EXPLANATION) === 'json') {
    terminal.out.write(`${JSON.stringify({ run, because: moment.because, ...explanation }, null, 2)}\n`);
  } else {
    terminal.out.write(textOf(`${run}${others}`, moment.because, explanation));
  }
  return EXIT.ok;
}

async function planned(path: string, args: Args, terminal: Terminal): Promise<Plan> {
  if (path.endsWith('.apf')) return planOf([path], selectionOf(args), terminal);
  const bytes = readBytes(path, terminal);
  if (!isRunFile(bytes)) {
    throw new Refusal(
      `${path} is neither a scenario nor a run file`,
      'a recording does not say why: apflab show or watch',
    );
  }
  return planOfRunFile(await readRunFile(path, bytes), selectionOf(args));
}

interface Chosen {
  readonly until: Moment;
  /** Why this moment. */
  readonly because: string;
}

/** The time that was asked for, else the first judgement that failed, else the end. */
function momentOf(args: Args, program: Program): Chosen {
  const at = args.get(MOMENT);
  if (at !== null) {
    const ns = durationNs(at);
    if (ns === null) throw new Refusal(`--at ${at}: not a time`, 'such as --at 3ms');
    return { until: { ns, step: Number.MAX_SAFE_INTEGER }, because: '--at' };
  }
  const simulation = createSimulation(program);
  simulation.runUntil(program.limit_ns);
  const { judgements, steps, sim_ns } = simulation.outcome();
  const [failed] = judgements
    .flatMap(({ holds, name, step, at_ns }) =>
      holds === 'no' && step !== null && at_ns !== null ? [{ name, step, at_ns }] : [],
    )
    .sort((a, b) => a.step - b.step || a.at_ns - b.at_ns);
  if (!failed) return { until: { ns: sim_ns, step: steps }, because: 'the end' };
  return { until: { ns: failed.at_ns, step: failed.step }, because: `'${failed.name}' fails` };
}

function textOf(run: string, because: string, explanation: Explanation): string {
  const { subject, at_ns, step } = explanation;
  const head = `${subject.name} at ${durationText(at_ns)}, step ${step} (${because})`;
  return [run, head, ...explanationLines(explanation)].map(line => `${hanging(printable(line))}\n`).join('');
}
