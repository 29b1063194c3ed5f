/** The tracepoints, newest at the bottom. */
import type { Rectangle } from '../layout.ts';
import { Line } from '../line.ts';
import type { Model } from '../model.ts';
import type { Theme } from '../theme.ts';
import type { TraceRow, ViewModel } from '../view_model.ts';
import { milliseconds } from './header.ts';
import { title } from './title.ts';

export function trace(
  model: Model,
  view: ViewModel,
  theme: Theme,
  area: Rectangle,
  focused: boolean,
): readonly string[] {
  const about = model.filter === '' ? '' : `/${model.filter}`;
  const place = model.trace_end === null ? '' : 'held, p follows';
  const note = [place, `${view.nr_traced}`].filter(part => part !== '').join('  ');
  const head = title(theme, 'trace', area.width, focused, about, note);
  if (view.filter_error !== null)
    return [head, new Line(theme, area.width).add('bad', ` ${view.filter_error}`).toString()];
  return [head, ...view.trace.map(row => line(row, theme, area.width))];
}

function line(row: TraceRow, theme: Theme, width: number): string {
  const wide = width >= 90;
  return new Line(theme, width)
    .add('dim', milliseconds(row.time_ns).slice(0, -2).padStart(12))
    .gap(1)
    .column('plain', wide && row.pid > 0 ? `${row.who}-${row.pid}` : row.who, wide ? 18 : 11)
    .add(row.role, row.name)
    .gap(1)
    .add('plain', row.text)
    .add('dim', row.label === '' ? '' : ` ${row.label}`)
    .toString();
}
