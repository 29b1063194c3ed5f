/** The first line: what is shown, and where in time it is. */
import { durationText } from '../../base/duration.ts';
import { cut, widthOf } from '../cells.ts';
import { Line } from '../line.ts';
import type { Model } from '../model.ts';
import type { Theme } from '../theme.ts';
import type { Choice } from '../view_model.ts';

export function header(model: Model, theme: Theme): string {
  const { view } = model;
  const { columns } = model.size;
  const clock = view ? `${milliseconds(view.time_ns)} of ${durationText(view.end_ns)} ` : '';
  const pace = columns >= 100 && view ? `event ${view.position}  ${durationText(model.speed)}/s ` : '';
  const right = `${theme.glyphs.paused} ${stateOf(model)} ${clock}${pace}`;
  const line = new Line(theme, columns - 1).add('title', ' apflab ');
  const names = view ? [short(model.file), ...chosen(view.choice)] : [short(model.file)];
  const wrong = model.diagnostics.length > 0 ? ' has errors' : '';
  const room = Math.max(10, line.left - widthOf(right) - wrong.length - 1);
  line.add('strong', cut(names.join('  '), room)).add('bad', wrong);
  line.gap(line.left - widthOf(right));
  const moving = model.running || model.goal !== null;
  const glyph = moving ? theme.glyphs.running : theme.glyphs.paused;
  return line
    .add(moving ? 'good' : 'focus', `${glyph} ${stateOf(model)} `)
    .add('strong', clock)
    .add('dim', pace)
    .toString();
}

function stateOf(model: Model): string {
  if (!model.view) return '';
  if (model.goal) return 'going';
  if (model.running) return 'running';
  return model.view.over === null ? 'paused' : 'over';
}

/** The variant, the case, the cell where there are several: what is cut off last comes first. */
function chosen(choice: Choice): readonly string[] {
  const { cells, cases, variants } = choice;
  const name = cases[choice.case] ?? '';
  const cell = cells.length > 1 ? `{${cells[choice.cell] ?? ''}}` : '';
  const parts = [variants[choice.variant] ?? '', cell, name === '' ? '' : `"${name}"`];
  return parts.filter(part => part !== '');
}

function short(file: string): string {
  return file.split('/').slice(-1)[0] ?? file;
}

/** Nanoseconds as milliseconds, all digits: in this form times stand under each other. */
export function milliseconds(ns: number): string {
  const sign = ns < 0 ? '-' : '';
  const size = Math.abs(ns);
  return `${sign}${Math.floor(size / 1e6)}.${String(size % 1e6).padStart(6, '0')}ms`;
}
