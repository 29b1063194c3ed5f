/** Things of a run by the names that a scenario would give them: `web.vcpu[0]`, `web.task.db`, `web.heap.page(17)`. */
import type { Machine } from '../machine.ts';

export type NamedKind = 'vcpu' | 'task' | 'page';

export function nameOf({ program, places }: Pick<Machine, 'program' | 'places'>, kind: NamedKind, row: number): string {
  const named = (vm: number, rest: string) => `${program.vms[vm]?.name ?? ''}.${rest}`;
  switch (kind) {
    case 'vcpu': {
      const { vm, vcpu_id } = places.vcpus[row]!;
      return named(vm, `vcpu[${vcpu_id}]`);
    }
    case 'task': {
      const { vm, spec } = places.tasks[row]!;
      return named(vm, `task.${spec.name}`);
    }
    case 'page': {
      const vm = places.vms.findLastIndex(each => each.first_page <= row);
      return named(vm, `heap.page(${row - (places.vms[vm]?.first_page ?? 0)})`);
    }
  }
}
