/**
 * The report for people: a line for each run as it ends, below it why it is not as wanted, then the matrix.
 *
 * Widths come from the plan of a file, so that columns stay put although the lines are printed one by one.
 */
import { durationText } from '../base/duration.ts';
import { printable } from '../base/printable.ts';
import { cellsOf } from '../base/source.ts';
import type { Verdict, Violation } from '../sim/outcome.ts';
import type { Place, View } from '../sim/program.ts';
import { coveredText, notesOf, orderText } from './explored.ts';
import { type CostTable, costTablesOf, type Matrix, matrixOf } from './matrix.ts';
import type { Paint } from './paint.ts';
import {
  boundText,
  caseTitle,
  type Entry,
  placeOf,
  type RunName,
  type Shown,
  tally,
  VERDICTS,
  verdictOf,
} from './result.ts';
import { toldText } from './told.ts';

export interface Columns {
  readonly title: number;
  readonly variant: number;
}

/** Longer titles than this push their line out instead of everybody's. */
const TITLE_MAX = 60;
const VERDICT_WIDTH = Math.max(...VERDICTS.map(({ length }) => length));

export function columnsFor(runs: readonly Pick<RunName, 'case_name' | 'cell' | 'variant'>[]): Columns {
  return {
    title: Math.min(TITLE_MAX, widest(runs.map(caseTitle))),
    variant: widest(runs.map(({ variant }) => variant)),
  };
}

/** A matrix can have more rows than a call takes arguments. */
function widest(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, cells(printable(text))), 0);
}

export function fileHeading(file: string, paint: Paint): string {
  return `${paint.strong(printable(file))}\n`;
}

/** The lines of one run. */
export function entryText(entry: Entry, columns: Columns, paint: Paint): string {
  const { run } = entry;
  const verdict = verdictOf(entry);
  const shown = colour(verdict, paint)(verdict) + ' '.repeat(VERDICT_WIDTH - verdict.length);
  if (run === null) return `  ${shown}  ${paint.dim(problemCount(entry))}\n`;
  const facts = factText(entry);
  const line = `  ${shown}  ${fill(printable(caseTitle(run)), columns.title)}  ${fill(printable(run.variant), columns.variant)}  ${facts && paint.dim(facts)}`;
  return [line.trimEnd(), ...detail(entry, paint).map(each => `    ${each}`), ''].join('\n') + toldIn(entry);
}

function factText({ end }: Entry): string {
  if (end.kind === 'explored') return coveredText(end);
  return end.kind === 'ran' ? `${durationText(end.outcome.sim_ns)}, ${countText(end.outcome.events)}` : '';
}

/** The run, or ways to what was found, as the file or the command line wants to see them. */
function toldIn({ end }: Entry): string {
  if (end.kind === 'explored') return viewsOf(end.found, end.views);
  return end.kind === 'ran' && end.shown ? viewsOf([end.shown], end.outcome.program.shown?.views ?? []) : '';
}

function viewsOf(all: readonly Shown[], views: readonly View[]): string {
  const text = ({ telling, trace }: Shown, view: View) =>
    view === 'trace' ? trace.split('\n').map(printable).join('\n') : toldText(telling, view);
  return all.flatMap(shown => views.map(view => `\n${text(shown, view)}`)).join('');
}

function problemCount({ end }: Entry): string {
  const errors = end.kind === 'invalid' ? end.problems.filter(({ severity }) => severity === 'error').length : 0;
  return errors === 1 ? '1 error' : `${errors} errors`;
}

function detail({ end }: Entry, paint: Paint): readonly string[] {
  if (end.kind === 'bug')
    return [`${paint.bad('bug in apflab')}: ${printable(end.message)}`, repeatLine(end.repeat, paint)];
  if (end.kind === 'invalid')
    return end.problems.map(({ code, message }) => `${paint.bad(`error[${code}]`)}: ${printable(message)}`);
  const outcome = end.kind === 'ran' ? end.outcome : end.exploration;
  const when = end.kind === 'ran' ? moment : ({ property }: Violation) => orderText(end, property);
  const repeats = [...new Set(outcome.violations.map(({ repeat }) => repeat))];
  return [
    ...outcome.violations.flatMap(violation =>
      violationLines(violation, placeOf(outcome, violation), when(violation), paint),
    ),
    ...outcome.expected_failures.map(({ name, because }) =>
      paint.dim(`expected: ${printable(name)} fails because ${printable(because)}`),
    ),
    ...(outcome.verdict === 'inconclusive' ? [paint.warn(boundText(end))] : []),
    ...(end.kind === 'explored' ? notesOf(end).map(note => paint.dim(printable(note))) : []),
    ...repeats.map(repeat => repeatLine(repeat, paint)),
  ];
}

function moment({ at_ns, step }: Violation): string {
  return `at ${durationText(at_ns)}, step ${step}`;
}

function violationLines(
  violation: Violation,
  place: Place | undefined,
  moment: string,
  paint: Paint,
): readonly string[] {
  const { property, line, expected, actual, message } = violation;
  const when = paint.dim(moment);
  const frame = place
    ? [
        paint.dim(`  --> ${printable(place.file)}:${line}:${place.column}`),
        `${paint.dim(`${line} |`)} ${printable(place.text)}`,
      ]
    : [];
  const found =
    expected || actual
      ? [`  expected ${printable(expected)}`, `  found    ${printable(actual)}`]
      : [`  ${printable(message)}`];
  return [`${paint.bad('violated')}: ${printable(property)} ${when}`, ...frame, ...found];
}

function repeatLine(repeat: string, paint: Paint): string {
  return `${paint.dim('repeat:')} ${printable(repeat)}`;
}

/** What stands below all runs of a file: the matrix and the costs, where there are several variants. */
export function fileSummary(entries: readonly Entry[], paint: Paint): string {
  const matrix = matrixOf(entries);
  const costs = costTablesOf(entries);
  return [...(matrix ? [matrixText(matrix, paint)] : []), ...costs.map(cost => costText(cost, paint))]
    .map(text => `\n${text}`)
    .join('');
}

function matrixText({ variants, rows }: Matrix, paint: Paint): string {
  const title = widest(rows.map(row => row.title));
  const widths = variants.map((variant, index) => widest([variant, ...rows.map(row => row.cells[index] ?? '-')]));
  const head = variants.map((variant, index) => fill(printable(variant), widths[index] ?? 0)).join('  ');
  const lines = rows.map(row => {
    const verdicts = row.cells.map((cell, index) => {
      const width = widths[index] ?? 0;
      const shown = cell === null ? paint.dim('-') : colour(cell, paint)(cell);
      return shown + (index === variants.length - 1 ? '' : ' '.repeat(width - (cell ?? '-').length));
    });
    return `  ${fill(printable(row.title), title)}  ${verdicts.join('  ')}`;
  });
  return `${[paint.dim(`  ${' '.repeat(title)}  ${head}`.trimEnd()), ...lines].join('\n')}\n`;
}

function costText({ title, variants, rows }: CostTable, paint: Paint): string {
  const first = widest(rows.map(row => row.title));
  const widths = variants.map((variant, index) => widest([variant, ...rows.map(row => row.values[index] ?? '')]));
  const line = (label: string, values: readonly string[]): string =>
    `    ${fill(printable(label), first)}  ${values.map((value, index) => right(printable(value), widths[index] ?? 0)).join('  ')}`;
  return `${[`  ${paint.strong(printable(title))}`, paint.dim(line('', variants)), ...rows.map(row => line(row.title, row.values))].join('\n')}\n`;
}

/** The last line: `12 runs: 11 pass, 1 fail`. */
export function totals(entries: readonly Entry[]): string {
  const runs = entries.length === 1 ? '1 run' : `${entries.length} runs`;
  return `${runs}: ${tally(entries.map(verdictOf))}\n`;
}

/** Everything at once, for a file. */
export function text(entries: readonly Entry[], paint: Paint): string {
  const files = [...new Set(entries.map(({ file }) => file))];
  const parts = files.map(file => {
    const own = entries.filter(entry => entry.file === file);
    const columns = columnsFor(own.flatMap(({ run }) => (run === null ? [] : [run])));
    return [
      fileHeading(file, paint),
      ...own.map(entry => entryText(entry, columns, paint)),
      fileSummary(own, paint),
    ].join('');
  });
  return `${parts.join('\n')}\n${totals(entries)}`;
}

function colour(verdict: Verdict, paint: Paint): (text: string) => string {
  if (verdict === 'inconclusive') return paint.warn;
  return verdict === 'pass' || verdict === 'xfail' ? paint.good : paint.bad;
}

function countText(events: number): string {
  return events === 1 ? '1 event' : `${events} events`;
}

function cells(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  return [...text].reduce((sum, character) => sum + cellsOf(character), 0);
}

function fill(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - cells(text)));
}

function right(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - cells(text))) + text;
}
