/** The page map: a letter and a colour for each page, or for each few pages. */
import { CHROME, type Rectangle } from '../layout.ts';
import { Line } from '../line.ts';
import { type Model, PAGE_LEGEND_LINES } from '../model.ts';
import type { Piece, Theme } from '../theme.ts';
import { PAGE_STATE_NAMES, PAGE_STATES, type PageMap, type PageState, type ViewModel } from '../view_model.ts';
import { title } from './title.ts';

export function pages(
  _model: Model,
  view: ViewModel,
  theme: Theme,
  area: Rectangle,
  focused: boolean,
): readonly string[] {
  const map = view.pages;
  if (!map) {
    const nothing = new Line(theme, area.width).add('dim', ' a recording does not tell where pages are').toString();
    return [title(theme, 'pages', area.width, focused), nothing];
  }
  const scale = map.pages_per_cell === 1 ? '' : `${map.pages_per_cell} pages a cell`;
  const from = map.first > 0 ? `from ${map.first}` : '';
  const note = [from, scale].filter(part => part !== '').join(', ');
  const head = title(theme, 'pages', area.width, focused, `${map.pages} of ${map.vm}`, note);
  const lines = area.height - CHROME.pages - PAGE_LEGEND_LINES;
  const rows: string[] = [];
  for (let at = 0; at < map.cells.length && rows.length < lines; at += area.width) {
    rows.push(cells(map.cells, at, Math.min(at + area.width, map.cells.length), theme));
  }
  while (rows.length < lines) rows.push('');
  return [head, ...rows, legend(map, theme, area.width)];
}

/** Runs of one state are one piece: escape codes are what costs. */
function cells(states: readonly PageState[], from: number, to: number, theme: Theme): string {
  const pieces: Piece[] = [];
  for (let at = from; at < to; ) {
    const state = states[at];
    let end = at + 1;
    while (end < to && states[end] === state) end += 1;
    if (state !== undefined)
      pieces.push({ role: PAGE_STATES[state].role, text: PAGE_STATES[state].letter.repeat(end - at) });
    at = end;
  }
  return theme.paint(pieces);
}

function legend(map: PageMap, theme: Theme, width: number): string {
  const line = new Line(theme, width);
  const looked = PAGE_STATE_NAMES.reduce((sum, name) => sum + map.counts[name], 0);
  for (const name of PAGE_STATE_NAMES) {
    const count = map.counts[name];
    if (count === 0) continue;
    const { letter, role } = PAGE_STATES[name];
    const size = map.sampled ? `${Math.round((100 * count) / looked)}%` : String(count);
    line.add(role, letter).add('dim', width >= 60 ? ` ${name} ${size}  ` : ` ${size} `);
  }
  return line.toString();
}
