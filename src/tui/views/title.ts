/** The line above each pane: its number, its name, what it says of itself, and whether it has the keys. */
import { PANES, type PaneName } from '../layout.ts';
import { Line } from '../line.ts';
import type { Theme } from '../theme.ts';

const NAMES: Readonly<Record<PaneName, string>> = {
  vcpus: 'vCPUs',
  queues: 'Queues',
  trace: 'Tracepoints',
  pages: 'Pages',
  judgements: 'Judgements',
};

export function title(theme: Theme, pane: PaneName, width: number, focused: boolean, about = '', note = ''): string {
  const { pointer, rule } = theme.glyphs;
  const role = focused ? 'focus' : 'title';
  const line = new Line(theme, width);
  line.add(role, `${focused ? pointer : rule}${PANES.indexOf(pane) + 1} ${NAMES[pane]} `);
  if (about !== '') line.add('plain', `${about} `);
  const tail = note === '' ? '' : ` ${note}`;
  line.add(role, rule.repeat(Math.max(0, line.left - tail.length)));
  return line.right('dim', tail).toString();
}
