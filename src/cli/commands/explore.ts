/** `apflab explore`: every order of the steps of scenarios, to verdicts. */
import { printable } from '../../base/printable.ts';
import { exploreJson } from '../../report/explore_json.ts';
import type { Entry } from '../../report/result.ts';
import type { Args } from '../args.ts';
import { sayDiagnostics } from '../diagnostics.ts';
import type { ExitCode } from '../exit.ts';
import { planOf, selectionOf } from '../plan.ts';
import type { Terminal } from '../terminal.ts';
import { report } from './run.ts';

export async function explore(args: Args, terminal: Terminal): Promise<ExitCode> {
  // A run does not read what explores.
  const { explorerOf } = await import('../exploring.ts');
  const explorer = explorerOf(args, terminal);
  const plan = planOf(args.operands, selectionOf(args), terminal);
  for (const { diagnostics } of plan.files) sayDiagnostics(diagnostics, terminal.err);
  const files = plan.files.map(({ file }) => file);
  const { code, entries, interrupted } = await report(plan, files, args, terminal, {
    explore: explorer,
    json: exploreJson,
  });
  if (!interrupted && entries.some(writes)) {
    const { keepFound } = await import('../keeping.ts');
    for (const path of await keepFound(plan, entries, terminal)) terminal.err.write(`wrote ${printable(path)}\n`);
  }
  return code;
}

/** Its file wants what is found written. */
function writes({ end }: Entry): boolean {
  return end.kind === 'explored' && (end.exploration.program.exploration?.reaction.write.length ?? 0) > 0;
}
