/**
 * The whole screen as blocks of lines, and as text.
 *
 * Blocks are what lines.tsx hands to Ink; tests and pictures use the same strings, so what is tested is what is seen.
 */
import { cut } from './cells.ts';
import { type PaneName, type Rectangle, SMALLEST, STORY_LINES } from './layout.ts';
import { type Model, panesOf } from './model.ts';
import type { Theme } from './theme.ts';
import type { ViewModel } from './view_model.ts';
import { footer } from './views/footer.ts';
import { header } from './views/header.ts';
import { judgements } from './views/judgements.ts';
import { page } from './views/page.ts';
import { pages } from './views/pages.ts';
import { queues } from './views/queues.ts';
import { story } from './views/story.ts';
import { trace } from './views/trace.ts';
import { vcpus } from './views/vcpus.ts';

/** Lines with their escape codes, each at most `width` cells wide. */
export interface Block extends Rectangle {
  readonly label: string;
  readonly lines: readonly string[];
}

type View = (model: Model, view: ViewModel, theme: Theme, area: Rectangle, focused: boolean) => readonly string[];
const VIEWS: Readonly<Record<PaneName, View>> = { vcpus, queues, trace, pages, judgements };

export function blocksOf(model: Model, theme: Theme): readonly Block[] {
  const { columns, rows } = model.size;
  const panes = panesOf(model);
  if (!panes) return [tooSmall(model)];
  const { view } = model;
  const top = { label: 'header', x: 0, y: 0, width: columns, height: 1, lines: [header(model, theme)] };
  const bottom = { label: 'footer', x: 0, y: rows - 1, width: columns, height: 1, lines: [footer(model, theme)] };
  if (model.page !== 'none' || !view) {
    const body = { x: 0, y: 1, width: columns, height: rows - 2 };
    const lines = model.page === 'none' ? [] : page(model, theme, body.width, body.height);
    return [top, { label: model.page, ...body, lines }, bottom];
  }
  const drawn = panes.map(({ pane, ...area }) => {
    const focused = pane === model.focus;
    return { label: pane, ...area, lines: VIEWS[pane](model, view, theme, area, focused).slice(0, area.height) };
  });
  if (!view.step) return [top, ...drawn, bottom];
  const told = { label: 'story', x: 0, y: 1, width: columns, height: STORY_LINES };
  return [top, { ...told, lines: story(view.step, view.position, theme, columns) }, ...drawn, bottom];
}

function tooSmall(model: Model): Block {
  const { columns, rows } = model.size;
  const text = [`${columns}x${rows} is too small`, `apflab needs ${SMALLEST.columns}x${SMALLEST.rows}`, 'q quits'];
  const lines = text.slice(0, rows).map(line => cut(line, columns - 1));
  return { label: 'too small', x: 0, y: 0, width: columns, height: Math.max(1, rows), lines };
}
