/** What waits where for the selected vCPU; with `w`, the terms of its runnable predicate instead. */
import type { Rectangle } from '../layout.ts';
import { Line } from '../line.ts';
import type { Model } from '../model.ts';
import type { Theme } from '../theme.ts';
import type { QueueRow, ViewModel, WhyRow } from '../view_model.ts';
import { title } from './title.ts';

export function queues(
  model: Model,
  view: ViewModel,
  theme: Theme,
  area: Rectangle,
  focused: boolean,
): readonly string[] {
  const about = model.why ? `why ${view.selected} runs or not` : `of ${view.selected}`;
  const rows = model.why
    ? view.why.map(row => whyLine(row, theme, area.width))
    : view.queues.map(row => queueLine(row, theme, area.width));
  return [title(theme, 'queues', area.width, focused, about), ...rows.slice(0, area.height - 1)];
}

const LABEL = 9;

export function queueLine(row: QueueRow, theme: Theme, width: number, label = LABEL): string {
  const line = new Line(theme, width).column('title', row.label, label);
  if (row.count !== null) line.column(row.count > 0 ? 'strong' : 'dim', String(row.count), 4);
  if (row.items.length === 0) return line.add('dim', '-').toString();
  row.items.forEach((item, index) => {
    if (index > 0) line.gap(1);
    line.add(item.role, item.text);
  });
  return line.toString();
}

export function whyLine({ text, value }: WhyRow, theme: Theme, width: number): string {
  const { yes, no } = theme.glyphs;
  if (value === null) return new Line(theme, width).add('dim', ' '.repeat(5)).add('host', text).toString();
  return new Line(theme, width)
    .add(value ? 'good' : 'dim', ` ${value ? yes : no} `)
    .column(value ? 'good' : 'dim', value ? 'true' : 'false', 6)
    .add(value ? 'strong' : 'plain', text)
    .toString();
}
