/** `apflab litmus`: in which ways small races may end, by variant. */

import { printable } from '../../base/printable.ts';
import { DEFAULTS, refusalOf } from '../../explore/explore.ts';
import type { Litmus } from '../../explore/litmus.ts';
import { caseTitle } from '../../report/result.ts';
import type { Args } from '../args.ts';
import { columns } from '../columns.ts';
import { hasErrors, sayDiagnostics } from '../diagnostics.ts';
import { EXIT, type ExitCode, worst } from '../exit.ts';
import { planOf, selectionOf } from '../plan.ts';
import { Refusal } from '../refusal.ts';
import type { PlannedRun } from '../runner.ts';
import type { Terminal } from '../terminal.ts';
import { LITMUS_REPORT, STATES } from '../verbs.ts';

interface Counted extends Litmus {
  readonly file: string;
  readonly case: string;
  readonly variant: string;
}

export async function litmus(args: Args, terminal: Terminal): Promise<ExitCode> {
  const { litmus: count } = await import('../../explore/litmus.ts');
  const plan = planOf(args.operands, selectionOf(args), terminal);
  for (const { diagnostics } of plan.files) sayDiagnostics(diagnostics, terminal.err);
  const codes: ExitCode[] = plan.files.some(({ diagnostics }) => hasErrors(diagnostics)) ? [EXIT.invalid] : [];
  const all: Counted[] = [];
  const pretty = args.get(LITMUS_REPORT) === 'pretty';
  const one = (file: string, run: PlannedRun): Counted | null => {
    const { program, diagnostics } = run.lower();
    if (!program) {
      sayDiagnostics(diagnostics, terminal.err);
      codes.push(EXIT.invalid);
      return null;
    }
    const { outcomes = [] } = program;
    if (outcomes.length === 0)
      throw new Refusal(`${file}: ${caseTitle(run)} names no outcome`, 'such as: outcome lost: not done(db)');
    const refusal = refusalOf(program);
    if (refusal !== null) throw new Refusal(`${file}: ${caseTitle(run)}: ${refusal}`);
    const counted = count(program, { ...DEFAULTS, states: args.get(STATES) ?? program.exploration?.states ?? null });
    codes.push(counted.stopped === null ? EXIT.ok : EXIT.inconclusive);
    return { file, case: caseTitle(run), variant: run.variant, ...counted };
  };
  for (const { file, runs } of plan.files) {
    const titles = [...new Set(runs.map(caseTitle))];
    for (const title of titles) {
      const counted = runs.filter(run => caseTitle(run) === title).flatMap(run => one(file, run) ?? []);
      if (pretty) terminal.out.write(`${all.length > 0 ? '\n' : ''}${tableOf(file, title, counted)}`);
      all.push(...counted);
    }
  }
  if (!pretty) terminal.out.write(`${JSON.stringify({ version: 1, results: all }, null, 2)}\n`);
  return worst(codes);
}

/** As herd says it, of the states that were seen. */
function observed(positive: number, negative: number): string {
  return positive === 0 ? 'Never' : negative === 0 ? 'Always' : 'Sometimes';
}

function tableOf(file: string, title: string, counted: readonly Counted[]): string {
  const names = counted[0]?.outcomes.map(({ name }) => name) ?? [];
  const of = (name: string) =>
    counted.map(({ variant, outcomes, stopped }, index) => {
      const { positive, negative } = outcomes.find(each => each.name === name) ?? { positive: 0, negative: 0 };
      const allowed = positive > 0 ? 'allowed' : stopped === null ? 'forbidden' : `not within ${stopped}`;
      const counts = `Positive: ${positive} Negative: ${negative}`;
      return [index === 0 ? name : '', variant, observed(positive, negative), counts, allowed];
    });
  const rows = [...names.flatMap(of)].map(row => row.map(printable));
  const sizes = counted.map(({ variant, final, other, states, stopped }) => {
    const bound = stopped === null ? '' : `, stopped: ${stopped}`;
    return [variant, `${final} final of ${states} states${other > 0 ? `, ${other} of no outcome` : ''}${bound}`];
  });
  const heading = `${file}: ${title}`;
  return `${printable(heading)}\n${columns(rows, { indent: 2 })}${columns(
    sizes.map(row => row.map(printable)),
    { indent: 2 },
  )}`;
}
