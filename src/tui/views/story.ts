/** The step that was just taken, of a run whose order an exploration has found: who, in what, and what others see of it. */
import { Line } from '../line.ts';
import type { Theme } from '../theme.ts';
import type { StepRow } from '../view_model.ts';

export function story(row: StepRow, position: number, theme: Theme, width: number): readonly string[] {
  const first = row.moves - row.cycle;
  const round = row.cycle > 0 && position >= first ? ` round for ever: ${first + 1} to ${row.moves}` : '';
  const who = new Line(theme, width - 1)
    .add('dim', ` step ${position} of ${row.moves}`)
    .add('warn', round)
    .gap(2)
    .add('strong', row.actor === '' ? 'the start' : row.actor)
    .add('host', row.at === '' ? '' : ` ${row.at}`)
    .right('dim', row.next === '' ? `breaks ${row.breaks}` : `next: ${row.next}`);
  return [who.toString(), new Line(theme, width - 1).add('plain', `   ${seen(row)}`).toString()];
}

function seen({ actor, text, moves, breaks, cycle }: StepRow): string {
  if (text !== '') return text;
  if (actor !== '') return 'nothing that another could see';
  const end = cycle > 0 ? `the last ${cycle} of them go round for ever` : 'G goes to the end, n to where it fails';
  return `${moves} steps break ${breaks}; ${end}`;
}
