/** Pages that cover all panes: the keys, one vCPU in full, what is wrong with the file. */
import { padded, wrap } from '../cells.ts';
import { COMMANDS } from '../command.ts';
import { BINDINGS, GROUPS } from '../keymap.ts';
import { Line } from '../line.ts';
import type { Model } from '../model.ts';
import type { Theme } from '../theme.ts';
import { PAGE_STATES, RUN_STATES, type ViewModel } from '../view_model.ts';
import { queueLine, whyLine } from './queues.ts';

/** `height` lines of the page that is open, from page_top on. */
export function page(model: Model, theme: Theme, width: number, height: number): readonly string[] {
  const lines = contents(model, theme, width);
  const top = Math.min(model.page_top, Math.max(0, lines.length - height));
  return lines.slice(top, top + height);
}

function contents(model: Model, theme: Theme, width: number): readonly string[] {
  switch (model.page) {
    case 'help':
      return help(model, theme, width);
    case 'vcpu':
      return model.view ? vcpu(model.view, theme, width) : [];
    case 'branch':
      return model.compared.flatMap(line => {
        const indent = /^ */.exec(line)?.[0] ?? '';
        return wrap(line.trimStart(), width - 1 - indent.length, '  ').map(part => indent + part);
      });
    case 'diagnostics':
      return diagnostics(model, theme, width);
    case 'none':
      return [];
  }
}

function heading(theme: Theme, width: number, text: string): string {
  return new Line(theme, width).add('title', text).toString();
}

function help(model: Model, theme: Theme, width: number): readonly string[] {
  const columns = width >= 120 ? 3 : width >= 76 ? 2 : 1;
  const cell = Math.floor(width / columns);
  const blocks = Object.entries(GROUPS).map(([group, name]) => [
    heading(theme, cell, padded(` ${name}`, cell)),
    ...BINDINGS.filter(binding => binding.group === group).map(({ shown, help: text, disabled }) => {
      const reason = disabled?.(model) ?? null;
      return new Line(theme, cell)
        .column(reason === null ? 'key' : 'dim', `  ${shown}`, 9)
        .column(reason === null ? 'plain' : 'dim', reason === null ? text : `${text} (now: ${reason})`, cell - 9)
        .toString();
    }),
  ]);
  const keys = besideEachOther(blocks, columns, cell);
  const commands = Object.entries(COMMANDS).flatMap(([name, { argument, help: text }]) =>
    wrap(`${padded(`  :${name} ${argument}`, 32)} ${text}`, width, ' '.repeat(33)),
  );
  const letters = [
    ...Object.entries(RUN_STATES),
    ...Object.values(PAGE_STATES).map(state => [state.letter, state] as const),
  ].map(([word, { role, summary }]) =>
    new Line(theme, width).column(role, `  ${word}`, 11).add('plain', summary).toString(),
  );
  return [
    ...keys,
    '',
    heading(theme, width, ' Commands'),
    ...commands,
    '',
    heading(theme, width, ' Words and letters'),
    ...letters,
  ];
}

/** Blocks dealt to columns so that the columns are about equally long. */
function besideEachOther(blocks: readonly (readonly string[])[], columns: number, cell: number): readonly string[] {
  const dealt: string[][] = Array.from({ length: columns }, () => []);
  for (const block of blocks.toSorted((a, b) => b.length - a.length)) {
    const shortest = dealt.reduce((least, column) => (column.length < least.length ? column : least));
    shortest.push(...block);
  }
  const blank = ' '.repeat(cell);
  return Array.from({ length: Math.max(...dealt.map(column => column.length)) }, (_, row) =>
    dealt.map(column => column[row] ?? blank).join(''),
  );
}

function vcpu(view: ViewModel, theme: Theme, width: number): readonly string[] {
  return [
    heading(theme, width, ` vCPUs ${theme.glyphs.pointer} ${view.selected}`),
    ...view.detail.map(row => queueLine(row, theme, width, 20)),
    '',
    heading(theme, width, ' Queues'),
    ...view.queues.map(row => queueLine(row, theme, width, 20)),
    '',
    heading(theme, width, ' Why it runs, or does not'),
    ...view.why.map(row => whyLine(row, theme, width)),
  ];
}

function diagnostics(model: Model, theme: Theme, width: number): readonly string[] {
  const kept = model.view
    ? ' Behind this page the last good version goes on; Esc shows it.'
    : ' Save the file again to go on.';
  return [
    heading(theme, width, ` ${model.file} has errors.${kept}`),
    '',
    ...model.diagnostics.map(line =>
      new Line(theme, width).add(/^(error|warning)\b/.test(line) ? 'bad' : 'plain', line).toString(),
    ),
  ];
}
