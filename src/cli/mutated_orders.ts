/** `apflab mutate --explore`: its table, and how it ends. */
import { table } from '../report/markdown.ts';
import type { Args } from './args.ts';
import { columns } from './columns.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { type Finding, mutateOrders, type OrderMutant, type OrdersMutated } from './mutating_orders.ts';
import type { Plan } from './plan.ts';
import type { Terminal } from './terminal.ts';
import { AT_LEAST, KNOBS_FLAG, MUTATE_REPORT, STATES, TIMING } from './verbs.ts';

/** States of one exploration: a world in which a guard is to be judged should have far fewer. */
const STATES_MAX = 200_000;

export async function mutateEveryOrder(plan: Plan, args: Args, terminal: Terminal): Promise<ExitCode> {
  const bounds = { knobs: args.get(KNOBS_FLAG), states: args.get(STATES) ?? STATES_MAX };
  const result = await mutateOrders(plan, bounds, terminal);
  if (result.interrupted) return EXIT.interrupted;
  const timing = args.get(TIMING);
  const { out } = terminal;
  const text = { pretty: prettyText, json: jsonText, md: ordersMarkdown }[args.get(MUTATE_REPORT)];
  out.write(text(result, timing, out.paint.strong));
  for (const title of result.unfit)
    terminal.err.write(`does not hold in every order as it is, so it was left out: ${title}\n`);
  const { mutants } = result;
  if (mutants.length === 0) return EXIT.invalid;
  if (mutants.some(({ findings }) => findings.some(({ outcome }) => outcome === 'undecided'))) return EXIT.inconclusive;
  return (100 * found(mutants)) / mutants.length < (args.get(AT_LEAST) ?? 0) ? EXIT.failed : EXIT.ok;
}

/** Of the guards, how many somebody missed on some variant. */
function found(mutants: readonly OrderMutant[]): number {
  return mutants.filter(({ findings }) => findings.some(({ outcome }) => outcome === 'found')).length;
}

function prettyText(result: OrdersMutated, timing: boolean, strong: (text: string) => string): string {
  const parts = result.mutants.map(({ change, findings }) => {
    const rows = findings.map(each => [each.variant, said(each, timing)]);
    return `${strong(change)}\n${columns(rows, { indent: 2 })}`;
  });
  return `${parts.join('\n')}\n${summary(result)}\n`;
}

function said(finding: Finding, timing: boolean): string {
  const { outcome, by, file, line, steps, states, stopped, seconds } = finding;
  const time = timing ? `, ${seconds.toFixed(2)}s` : '';
  if (outcome === 'survives') return `survives, exhausted (${states} states${time})`;
  if (outcome === 'undecided') return `not decided: it stopped at ${stopped} (${states} states${time})`;
  const way = steps === null ? '' : `after ${steps} steps, `;
  return `found: ${by}, ${file}:${line} (${way}${states} states${time})`;
}

function summary({ mutants, explorations }: OrdersMutated): string {
  const survivors = mutants.length - found(mutants);
  return `${mutants.length} guards and rules taken away in ${explorations} explorations: ${found(mutants)} found, ${survivors} not`;
}

/** One row for each guard, one column for each variant. */
export function ordersMarkdown(result: OrdersMutated): string {
  const { mutants } = result;
  const variants = [...new Set(mutants.flatMap(({ findings }) => findings.map(({ variant }) => variant)))];
  const rows = mutants.map(({ change, findings }) => [
    `\`${change}\``,
    ...variants.map(variant => {
      const finding = findings.find(each => each.variant === variant);
      if (!finding) return '';
      const { outcome, by, states } = finding;
      return outcome === 'found'
        ? `**${by}**, ${states}`
        : outcome === 'survives'
          ? `survives, ${states}`
          : `open, ${states}`;
    }),
  ]);
  const head = ['without', ...variants.map(variant => `\`${variant}\``)];
  return `${[...table(head, rows), '', summary(result)].join('\n')}\n`;
}

function jsonText({ mutants, unfit, explorations }: OrdersMutated, timing: boolean): string {
  const rows = mutants.map(({ change, findings }) => ({
    change,
    findings: findings.map(({ seconds, ...rest }) => (timing ? { ...rest, seconds } : rest)),
  }));
  const report = { version: 1, mutants: rows, found: found(mutants), total: mutants.length, explorations, unfit };
  return `${JSON.stringify(report, null, 2)}\n`;
}
