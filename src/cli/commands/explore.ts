/** `apflab explore`: every order of the steps of scenarios, to verdicts. */
import { exploreJson } from '../../report/explore_json.ts';
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
  const { code, entries } = await report(plan, files, args, terminal, { explore: explorer, json: exploreJson });
  const { writeFound } = await import('../reacting.ts');
  writeFound(plan, entries, terminal);
  return code;
}
