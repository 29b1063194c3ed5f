/** A run, told: as a story, as a table, and as a diagram with one column for each actor. */
import { durationText } from '../base/duration.ts';
import { printable } from '../base/printable.ts';
import type { Doing, Telling, Turn } from '../sim/tell.ts';
import { fold } from './fold.ts';

export const TOLD = ['story', 'sequence', 'table'] as const;
export type Told = (typeof TOLD)[number];

/** A run by time may have thousands of turns; those before the last of these are counted only. */
const TURNS_MOST = 200;
const WIDTH = 80;
const SEQUENCE_WIDTH = 100;

export function toldText(telling: Telling, as: Told): string {
  const lines =
    as === 'story'
      ? storyLines(telling, WIDTH)
      : as === 'table'
        ? tableLines(telling)
        : sequenceLines(telling, SEQUENCE_WIDTH);
  return lines.map(line => `${line.trimEnd()}\n`).join('');
}

/** What it is about, in a line or two. */
export function headLines({ program, turns, steps, context_switches }: Telling, width: number): readonly string[] {
  const { title, case_name, variant } = program;
  const size = `${counted(steps, 'step')}, ${counted(turns.length, 'shown step')}, ${counted(context_switches, 'context switch')}`;
  const named = case_name === '' ? title : `${title}: ${case_name}`;
  return [...fold(printable(`${named}, on ${variant}`), width), size];
}

function counted(count: number, what: string): string {
  const plural = what.endsWith('ch') ? `${what}es` : `${what}s`;
  return `${count} ${count === 1 ? what : plural}`;
}

/** The latest turns, and how many there are before. */
function shownTurns({ turns }: Telling): { readonly shown: readonly Turn[]; readonly before: number } {
  const before = Math.max(0, turns.length - TURNS_MOST);
  return { shown: turns.slice(before), before };
}

// -- A story --------------------------------------------------------------------------------------

function storyLines(telling: Telling, width: number): readonly string[] {
  return [...headLines(telling, width), '', ...turnLines(telling, width), '', ...endLines(telling, width)];
}

/** One numbered item for each turn; what a thing means is said the first time it happens. */
export function turnLines(telling: Telling, width: number): readonly string[] {
  const { shown, before } = shownTurns(telling);
  const said = new Set<string>();
  const lines = before === 0 ? [] : [`... ${counted(before, 'shown step')} before`];
  shown.forEach(({ actor, steps, time_ns, doings }, index) => {
    const number = `${String(before + index + 1).padStart(2)}. `;
    const hang = ' '.repeat(number.length);
    lines.push(
      ...fold(printable(`${number}${actor}, ${counted(steps, 'step')} (${durationText(time_ns)})`), width, hang),
    );
    for (const doing of doings) {
      const { at, text, means } = doing;
      const explained = means !== '' && !said.has(means) ? `${text}: ${means}` : text;
      said.add(means);
      lines.push(
        ...fold(printable(`${hang}${at === '' ? '' : `${at.split('.')[0]}()  `}${explained}`), width, `${hang}    `),
      );
    }
  });
  return lines;
}

/** Where everybody stands, and what that breaks. */
export function endLines({ standings, judgements }: Telling, width: number): readonly string[] {
  const at_end = standings.flatMap(({ name, says, missing }) => [
    ...fold(printable(`${name} ${says}`), width, '  '),
    ...missing.flatMap(each => fold(printable(`  missing: ${each}`), width, '    ')),
  ]);
  const broken = judgements.filter(({ holds }) => holds === 'no');
  const why = broken.flatMap(({ kind, name, expected, actual }) => [
    ...fold(printable(`${kind} '${name}' fails: expected ${expected}`), width, '  '),
    ...fold(printable(`  found ${actual}`), width, '    '),
  ]);
  return [...at_end, ...why];
}

// -- A table --------------------------------------------------------------------------------------

function tableLines(telling: Telling): readonly string[] {
  const { shown } = shownTurns(telling);
  const rows = shown.flatMap(({ step, time_ns, actor, doings }) =>
    doings.map(({ at, text }, index) =>
      [...(index === 0 ? [String(step), durationText(time_ns), actor] : ['', '', '']), at, text].map(printable),
    ),
  );
  const all = [['step', 'time', 'actor', 'function', 'what'], ...rows];
  const widths = [0, 1, 2, 3].map(column => Math.max(...all.map(row => (row[column] ?? '').length)));
  return all.map(row =>
    row
      .map((cell, column) => {
        const width = widths[column];
        if (width === undefined) return cell;
        return column < 2 ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  '),
  );
}

// -- A sequence diagram ---------------------------------------------------------------------------

const COLUMN_LEAST = 18;
const MARGIN = 6;
const OTHERS = 'others';

/** Columns of actors; those who do least share one where there is no room for all. */
function sequenceLines(telling: Telling, width: number): readonly string[] {
  const { shown } = shownTurns(telling);
  const columns = columnsOf(telling, Math.floor((width - MARGIN) / COLUMN_LEAST));
  const column_width = Math.min(36, Math.floor((width - MARGIN) / Math.max(1, columns.length)));
  const columnOf = (actor: string) => {
    const found = columns.indexOf(actor);
    return found < 0 ? columns.length - 1 : found;
  };
  const row = (number: string, cells: readonly string[]) =>
    number.padStart(MARGIN - 1).padEnd(MARGIN) + cells.map(cell => cell.padEnd(column_width)).join('');
  const alone = telling.program.vms.length === 1 ? `${telling.program.vms[0]?.name ?? ''}.` : null;
  const lines = [
    row(
      '',
      columns.map(actor => printable(actor).slice(0, column_width - 1)),
    ),
  ];
  for (const { actor, step, doings } of shown) {
    const own = columnOf(actor);
    doings.forEach((doing, index) => {
      const number = index === 0 ? String(step) : '';
      const target = doing.to === null ? -1 : columns.indexOf(doing.to);
      if (target >= 0 && target !== own) {
        lines.push(number.padStart(MARGIN - 1).padEnd(MARGIN) + arrow(own, target, columns.length, column_width));
        return;
      }
      const text = printable(shortened(doing, alone));
      fold(text, column_width - 3).forEach((part, line) => {
        const cells = columns.map((_, column) => (column === own ? `* ${line === 0 ? '' : ' '}${part}` : '|'));
        lines.push(row(line === 0 ? number : '', cells));
      });
    });
  }
  return [...headLines(telling, width), '', ...lines, '', ...endLines(telling, width)];
}

/** In the order in which they come on. */
function columnsOf({ actors, turns }: Telling, most: number): readonly string[] {
  if (actors.length <= most) return actors;
  const doings = (actor: string) =>
    turns.reduce((sum, turn) => sum + (turn.actor === actor ? turn.doings.length : 0), 0);
  const busiest = new Set(actors.toSorted((a, b) => doings(b) - doings(a)).slice(0, most - 1));
  return [...actors.filter(actor => busiest.has(actor)), OTHERS];
}

function arrow(from: number, to: number, columns: number, width: number): string {
  const [left, right] = [Math.min(from, to), Math.max(from, to)];
  const cells = Array.from({ length: columns }, (_, column) => {
    const mark = column === from ? '*' : '|';
    if (column < left || column >= right) return mark.padEnd(width);
    return '-'.repeat(width);
  });
  const line = cells.join('');
  const label = ' wakes ';
  const begin = left * width + Math.floor(((right - left) * width - label.length) / 2);
  const put = (text: string, at: number, what: string) => text.slice(0, at) + what + text.slice(at + what.length);
  let drawn = put(line, begin, label);
  drawn = put(drawn, from * width, '*');
  drawn = put(drawn, to * width, '|');
  return to > from ? put(drawn, to * width - 1, '>') : put(drawn, to * width + 1, '<');
}

/** Without what is the same in all lines. */
function shortened({ text }: Doing, vm: string | null): string {
  const short = vm === null ? text : text.replaceAll(vm, '');
  return short.replaceAll('heap.page(', 'page(').replaceAll('task.', '');
}
