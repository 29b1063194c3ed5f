/** One line for each vCPU: what its thread does, the two halts kept apart, who runs in the guest, and why. */
import type { Rectangle } from '../layout.ts';
import { Line } from '../line.ts';
import type { Model } from '../model.ts';
import type { Theme } from '../theme.ts';
import { RUN_STATES, type VcpuRow, type ViewModel } from '../view_model.ts';
import { title } from './title.ts';

export function vcpus(
  model: Model,
  view: ViewModel,
  theme: Theme,
  area: Rectangle,
  focused: boolean,
): readonly string[] {
  const wide = area.width >= 100;
  const shown =
    view.vcpus.length < view.nr_vcpus
      ? `${model.first_vcpu + 1}-${model.first_vcpu + view.vcpus.length} of ${view.nr_vcpus}`
      : '';
  return [
    title(theme, 'vcpus', area.width, focused, '', shown),
    names(theme, area.width, wide),
    ...view.vcpus.map(row => line(row, row.row === model.selected_vcpu, theme, area.width, wide)),
  ];
}

/** Widths of the columns: 60 columns hold the narrow form, its reason cut. */
const NARROW = { name: 9, runs: 8, mp_state: 9, halt: 5, task: 9, queue: 5, requests: 10 } as const;
const WIDE = { name: 12, runs: 12, mp_state: 11, halt: 10, task: 16, queue: 11, requests: 16 } as const;

function names(theme: Theme, width: number, wide: boolean): string {
  const columns = wide ? WIDE : NARROW;
  return new Line(theme, width)
    .column('dim', '  vCPU', columns.name)
    .column('dim', 'thread', columns.runs)
    .column('dim', 'mp_state', columns.mp_state)
    .column('dim', wide ? 'synthetic' : 'apf', columns.halt)
    .column('dim', 'task', columns.task)
    .column('dim', wide ? 'queue+done' : 'q+d', columns.queue)
    .column('dim', 'requests', columns.requests)
    .add('dim', 'why')
    .toString();
}

function line(row: VcpuRow, selected: boolean, theme: Theme, width: number, wide: boolean): string {
  const columns = wide ? WIDE : NARROW;
  const { role } = RUN_STATES[row.runs];
  const runs = wide && row.cpu !== '' ? `${row.runs} ${row.cpu}` : row.runs;
  const task = [row.task, row.handlers].filter(part => part !== '').join('>');
  const requests = row.requests.join(' ');
  return new Line(theme, width)
    .add(selected ? 'focus' : 'plain', selected ? theme.glyphs.pointer : ' ')
    .gap(1)
    .column(selected ? 'strong' : 'plain', row.name, columns.name - 2)
    .column(role, runs, columns.runs)
    .column(row.mp_state === 'RUNNABLE' ? 'plain' : 'asleep', row.mp_state, columns.mp_state)
    .column(row.synthetic ? 'apf' : 'dim', row.synthetic ? 'HALT' : '-', columns.halt)
    .column('plain', task === '' ? '-' : task, columns.task)
    .column(row.queue + row.done > 0 ? 'apf' : 'dim', `${row.queue}+${row.done}`, columns.queue)
    .column(requests === '' ? 'dim' : 'warn', requests === '' ? '-' : requests, columns.requests)
    .add('dim', row.reason)
    .toString();
}
