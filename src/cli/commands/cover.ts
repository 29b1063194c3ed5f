/** `apflab cover`: what of the model a suite never reaches. */
import { table } from '../../report/markdown.ts';
import { COVER_KINDS, COVER_SUMMARIES, Cover, type CoverKind, reachable } from '../../sim/cover.ts';
import type { Args } from '../args.ts';
import { columns, paragraph } from '../columns.ts';
import { sayDiagnostics } from '../diagnostics.ts';
import { execute } from '../execute.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { type Plan, planOf, selectionOf } from '../plan.ts';
import { Progress } from '../progress.ts';
import type { Channel, Terminal } from '../terminal.ts';
import { AT_LEAST, COVER_REPORT, KINDS } from '../verbs.ts';

/** One kind of thing: how much of it there is, and what was missed. */
interface Part {
  readonly kind: CoverKind;
  readonly reached: readonly string[];
  readonly never: readonly string[];
}

interface Covered {
  readonly parts: readonly Part[];
  readonly runs: number;
}

export async function cover(args: Args, terminal: Terminal): Promise<ExitCode> {
  const plan = planOf(args.operands, selectionOf(args), terminal);
  for (const { diagnostics } of plan.files) sayDiagnostics(diagnostics, terminal.err);
  const reached = await coverOf(plan, terminal);
  if (!reached) return EXIT.interrupted;
  const { cover: all, runs } = reached;
  if (runs === 0) return EXIT.invalid;
  const { default: known } = await import('../reachable.json', { with: { type: 'json' } });
  const there = reachable(known);
  const wanted = args.get(KINDS);
  const parts = COVER_KINDS.filter(kind => wanted.length === 0 || wanted.includes(kind)).map(kind => ({
    kind,
    reached: there[kind].filter(name => all.of(kind).has(name)),
    never: there[kind].filter(name => !all.of(kind).has(name)),
  }));
  const { out } = terminal;
  const text = { pretty: prettyText, json: jsonText, md: markdownText }[args.get(COVER_REPORT)];
  out.write(text({ parts, runs }, out.paint));
  return shareOf(parts) < (args.get(AT_LEAST) ?? 0) ? EXIT.failed : EXIT.ok;
}

async function coverOf(plan: Plan, terminal: Terminal): Promise<{ cover: Cover; runs: number } | null> {
  const planned = plan.files.flatMap(({ file, runs }) => runs.map(run => ({ file, run })));
  const progress = new Progress(terminal, planned.length);
  const all = new Cover();
  let runs = 0;
  let stopped = false;
  const release = terminal.onInterrupt(() => {
    stopped = true;
  });
  try {
    for (const { file, run } of planned) {
      const { program } = run.lower();
      if (!program) continue;
      progress.tick(`${file}: ${run.case_name} on ${run.variant}`, 0);
      const one = new Cover();
      const conditions = { paranoid: false, record: null, interrupted: () => stopped, reached: () => {}, cover: one };
      if (!(await execute(program, conditions))) return null;
      all.add(one);
      runs += 1;
      progress.step();
    }
  } finally {
    release();
    progress.clear();
  }
  return { cover: all, runs };
}

/** Percent, over all that was asked for. */
function shareOf(parts: readonly Part[]): number {
  const count = (of: (part: Part) => readonly string[]): number =>
    parts.reduce((sum, part) => sum + of(part).length, 0);
  const reached = count(part => part.reached);
  return (100 * reached) / Math.max(1, reached + count(part => part.never));
}

function rowsOf(parts: readonly Part[]): readonly (readonly string[])[] {
  return parts.map(({ kind, reached, never }) => [
    kind,
    `${reached.length} of ${reached.length + never.length}`,
    COVER_SUMMARIES[kind],
  ]);
}

function prettyText({ parts, runs }: Covered, { strong }: Channel['paint']): string {
  const missed = parts
    .filter(({ never }) => never.length > 0)
    .map(({ kind, never }) => `\n${strong(`${kind}: never`)}\n${paragraph(never.join(', '), 2)}\n`);
  const total = `${shareOf(parts).toFixed(1)} % reached in ${runs} run${runs === 1 ? '' : 's'}\n`;
  return `${columns(rowsOf(parts), { first: strong })}${missed.join('')}\n${total}`;
}

function markdownText({ parts, runs }: Covered): string {
  const never = parts.flatMap(part => part.never.map(name => [part.kind, `\`${name}\``]));
  const lines = [
    ...table(['', 'reached', 'what'], rowsOf(parts)),
    '',
    ...table(['', 'never reached'], never),
    '',
    `${runs} runs`,
  ];
  return `${lines.join('\n')}\n`;
}

function jsonText({ parts, runs }: Covered): string {
  const kinds = Object.fromEntries(
    parts.map(({ kind, reached, never }) => [
      kind,
      { reached: reached.length, of: reached.length + never.length, never },
    ]),
  );
  return `${JSON.stringify({ version: 1, runs, kinds }, null, 2)}\n`;
}
