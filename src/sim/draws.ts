/** Tables that random draws look in, made once from the program. */
import type { Distribution, Program, TaskOp } from './program.ts';
import { quantilesOf, zipfRanks } from './sample.ts';

export interface Draws {
  /** By host; null where there is no swap. */
  readonly swap: readonly ({ readonly read: Float64Array; readonly write: Float64Array } | null)[];
  /** By VM: how long its userfault handler takes for a page; null where it has none. */
  readonly userfault: readonly (Float64Array | null)[];
  /** By task row and operation: quantiles of its time, or null. */
  readonly time: readonly (readonly (Float64Array | null)[])[];
  /** By task row and operation: ranks of a Zipf choice, or null. */
  readonly ranks: readonly (readonly (Uint32Array | null)[])[];
}

export function drawsOf(program: Program): Draws {
  const tasks = program.vms.flatMap(vm => (vm.incarnation_of === null ? vm.guest.tasks : []));
  const timeOf = (op: TaskOp): Distribution | null => (op.op === 'work' || op.op === 'sleep' ? op.time : null);
  const shared = new Map<string, Uint32Array>();
  const ranksOf = (op: TaskOp): Uint32Array | null => {
    if ((op.op !== 'read' && op.op !== 'write') || op.page.kind !== 'zipf') return null;
    const key = `${op.page.pages} ${op.page.theta_ppm}`;
    const ranks = shared.get(key) ?? zipfRanks(op.page.pages, op.page.theta_ppm / 1e6);
    shared.set(key, ranks);
    return ranks;
  };
  return {
    swap: program.hosts.map(host =>
      host.swap ? { read: quantilesOf(host.swap.read), write: quantilesOf(host.swap.write) } : null,
    ),
    userfault: program.vms.map(({ userfault }) => userfault && quantilesOf(userfault.latency)),
    time: tasks.map(task =>
      task.ops.map(op => {
        const time = timeOf(op);
        return time && quantilesOf(time);
      }),
    ),
    ranks: tasks.map(task => task.ops.map(ranksOf)),
  };
}
