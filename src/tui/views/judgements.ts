/** What the scenario demands: how it stands now, since when, and why. */
import { durationText } from '../../base/duration.ts';
import type { Rectangle } from '../layout.ts';
import { Line } from '../line.ts';
import type { Model } from '../model.ts';
import type { Theme } from '../theme.ts';
import type { JudgementRow, ViewModel } from '../view_model.ts';
import { title } from './title.ts';

export function judgements(
  _model: Model,
  view: ViewModel,
  theme: Theme,
  area: Rectangle,
  focused: boolean,
): readonly string[] {
  const { yes, no, undecided } = view.nr_judgements;
  const note = view.kind === 'recording' ? '' : `${yes} hold, ${no} fail, ${undecided} open`;
  const head = title(theme, 'judgements', area.width, focused, '', note);
  if (view.judgements.length > 0) return [head, ...view.judgements.map(row => line(row, theme, area.width))];
  const nothing = view.kind === 'recording' ? ' a recording has none' : ' the file demands nothing';
  return [head, new Line(theme, area.width).add('dim', nothing).toString()];
}

function line(row: JudgementRow, theme: Theme, width: number): string {
  const { yes, no, open } = theme.glyphs;
  const [glyph, word, role] =
    row.holds === 'yes'
      ? [yes, 'holds', 'good' as const]
      : row.holds === 'no'
        ? [no, 'FAILS', 'bad' as const]
        : [open, 'open', 'dim' as const];
  const drawn = new Line(theme, width).add(role, `${glyph} `).column(role, word, 6);
  drawn.add(row.holds === 'no' ? 'strong' : 'plain', width >= 60 ? `${row.kind} ${row.name}` : row.name);
  if (row.changed_ns !== null) drawn.add('dim', ` at ${durationText(row.changed_ns)}`);
  if (row.step !== null && width >= 60) drawn.add('dim', ` step ${row.step}`);
  return drawn
    .add('plain', row.reason === '' ? '' : `: ${row.reason}`)
    .right('dim', ` line ${row.line}`)
    .toString();
}
