/** Laws of what VMMs keep and move: a guest runs in one place, and of several snapshots the latest come first. */
import { can_move } from '../incarnation.ts';
import type { Machine } from '../machine.ts';
import { vm_stopped } from './monitor.ts';
import { is_home } from './snapshot.ts';

/** What is broken, or null. */
export function brokenVmm(m: Machine): string | null {
  if (can_move(m)) {
    for (let vm = 0; vm < m.vms.length; vm += 1)
      if (!is_home(m, vm) && !vm_stopped(m.vms[vm]!)) return `vm[${vm}] may run, and its guest is elsewhere`;
  }
  for (let row = 0; row < m.saveds.length; row += 1) {
    const { name, keep } = m.places.saved[row]!;
    if (keep === 1) continue;
    for (let back = 1; back <= keep; back += 1)
      if (m.saveds[row + back]!.taken && (back === keep || !m.saveds[row + back - 1]!.taken))
        return `${name}: the snapshot ${back} back is there, and one that is newer is not`;
    row += keep;
  }
  return null;
}
