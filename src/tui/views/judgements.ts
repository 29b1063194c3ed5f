/** What the scenario demands: how it stands now, since when, and why. */
import { durationText } from '../../base/duration.ts';
import type { Rectangle } from '../layout.ts';
import { Line } from '../line.ts';
import type { Model } from '../model.ts';
import type { Glyphs, Role, Theme } from '../theme.ts';
import type { JudgementRow, ViewModel } from '../view_model.ts';
import { title } from './title.ts';

export function judgements(
  _model: Model,
  view: ViewModel,
  theme: Theme,
  area: Rectangle,
  focused: boolean,
): readonly string[] {
  const { yes, no, undecided, 'so far': soFar } = view.nr_judgements;
  const note = view.kind === 'recording' ? '' : `${yes + soFar} hold, ${no} fail, ${undecided} open`;
  const head = title(theme, 'judgements', area.width, focused, '', note);
  if (view.judgements.length > 0) return [head, ...view.judgements.map(row => line(row, theme, area.width))];
  const nothing = view.kind === 'recording' ? ' a recording has none' : ' the file demands nothing';
  return [head, new Line(theme, area.width).add('dim', nothing).toString()];
}

type Holds = JudgementRow['holds'];
const WORDS: Readonly<Record<Holds, { readonly word: string; readonly role: Role; readonly glyph: keyof Glyphs }>> = {
  yes: { word: 'holds', role: 'good', glyph: 'yes' },
  no: { word: 'FAILS', role: 'bad', glyph: 'no' },
  'so far': { word: 'so far', role: 'good', glyph: 'open' },
  undecided: { word: 'open', role: 'dim', glyph: 'open' },
};

function line(row: JudgementRow, theme: Theme, width: number): string {
  const { word, role, glyph } = WORDS[row.holds];
  const drawn = new Line(theme, width).add(role, `${theme.glyphs[glyph]} `).column(role, word, 7);
  drawn.add(
    row.holds === 'no' ? 'strong' : 'plain',
    width >= 60 && !row.name.startsWith(row.kind) ? `${row.kind} ${row.name}` : row.name,
  );
  if (row.changed_ns !== null) drawn.add('dim', ` at ${durationText(row.changed_ns)}`);
  if (row.step !== null && width >= 60) drawn.add('dim', ` step ${row.step}`);
  if (row.reason !== '') drawn.add('plain', `: ${row.reason}`);
  // A judgement without a name of its own is called after its line.
  return row.name.endsWith(`line ${row.line}`) ? drawn.toString() : drawn.right('dim', ` line ${row.line}`).toString();
}
