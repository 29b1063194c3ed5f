/** `apflab mutate`: which judgement would notice if a guard were gone. */
import { table } from '../../report/markdown.ts';
import type { Args } from '../args.ts';
import { columns } from '../columns.ts';
import { sayDiagnostics } from '../diagnostics.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { killed, type Mutant, type Mutated, mutate as mutateAll } from '../mutating.ts';
import { planOf, selectionOf } from '../plan.ts';
import { Refusal } from '../refusal.ts';
import type { Terminal } from '../terminal.ts';
import { AT_LEAST, EXPLORE, FIRST, KNOBS_FLAG, MUTATE_REPORT, STATES } from '../verbs.ts';

export async function mutate(args: Args, terminal: Terminal): Promise<ExitCode> {
  const plan = planOf(args.operands, selectionOf(args), terminal);
  for (const { diagnostics } of plan.files) sayDiagnostics(diagnostics, terminal.err);
  if (args.get(EXPLORE)) {
    // A run does not read what explores.
    const { mutateEveryOrder } = await import('../mutated_orders.ts');
    return mutateEveryOrder(plan, args, terminal);
  }
  if (args.get(STATES) !== null) throw new Refusal('--states goes with --explore');
  const bounds = { knobs: args.get(KNOBS_FLAG), first: args.get(FIRST) };
  const result = await mutateAll(plan, bounds, terminal);
  if (result.interrupted) return EXIT.interrupted;
  const { out } = terminal;
  const text = { pretty: prettyText, json: jsonText, md: markdownText }[args.get(MUTATE_REPORT)];
  out.write(text(result, out.paint.strong));
  for (const title of result.unfit) terminal.err.write(`does not hold as it is, so it was left out: ${title}\n`);
  const { mutants } = result;
  if (mutants.length === 0) return EXIT.invalid;
  const share = (100 * killed(mutants)) / mutants.length;
  return share < (args.get(AT_LEAST) ?? 0) ? EXIT.failed : EXIT.ok;
}

function prettyText(result: Mutated, strong: (text: string) => string): string {
  const rows = result.mutants.map(mutant => [mutant.change, finding(mutant)]);
  return `${columns(rows, { first: strong })}\n${summary(result)}\n`;
}

function finding({ kills, variants, asked, weightless }: Mutant): string {
  const [first] = kills.values();
  const others = variants.filter(variant => !kills.has(variant));
  const found = [
    ...(first ? [`${first.by} on ${first.variant}, ${first.file}:${first.line}`] : []),
    ...list(
      'survives on',
      others.filter(variant => asked.has(variant)),
    ),
    ...list(
      'never asked for on',
      others.filter(variant => !asked.has(variant)),
    ),
    ...(weightless === null || first ? [] : [`carries no weight: ${weightless}`]),
  ];
  return found.join('; ');
}

function list(what: string, variants: readonly string[]): readonly string[] {
  return variants.length > 0 ? [`${what} ${variants.join(', ')}`] : [];
}

function summary({ mutants, runs }: Mutated): string {
  const survivors = mutants.length - killed(mutants);
  return `${mutants.length} guards and rules taken away in ${runs} runs: ${killed(mutants)} noticed, ${survivors} not`;
}

function markdownText(result: Mutated): string {
  const rows = result.mutants.map(mutant => [`\`${mutant.change}\``, mutant.summary, finding(mutant)]);
  return `${[...table(['without', 'what it is for', 'noticed by'], rows), '', summary(result)].join('\n')}\n`;
}

function jsonText({ mutants, unfit, runs }: Mutated): string {
  const rows = mutants.map(({ change, variants, asked, weightless, kills }) => ({
    change,
    weightless,
    variants,
    asked: [...asked],
    kills: [...kills.values()],
  }));
  const report = { version: 1, mutants: rows, killed: killed(mutants), total: mutants.length, runs, unfit };
  return `${JSON.stringify(report, null, 2)}\n`;
}
