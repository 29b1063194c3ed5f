/**
 * The ledger of a VM: what its guest was promised and has not got yet.
 *
 * A not-present event that was delivered is a debt: somebody in the guest, the creditor, waits for its token, and
 * somebody, the debtor, is to answer: a work item and its worker, the token slot, an event on its way, a broadcast. A
 * debt moves with the guest. At the destination of a migration the old host's items are nobody's debtors any more.
 */

import { durationText } from '../../base/duration.ts';
import type { Machine } from '../machine.ts';
import type { Node } from '../schema.ts';
import { TRANSFER } from '../vmm/fields.ts';
import { count, type Description, quantity } from './attribute.ts';
import { isOwed, isWaiting } from './guest.ts';

/** Calls back with each entry of the guest's token table that waits: of its tasks, and of its CPUs' idle tasks. */
function eachDebt(m: Machine, vm: number, visit: (node: Node, task: number) => void): void {
  const { first_task, first_vcpu } = m.places.vms[vm]!;
  const { guest, vcpus } = m.program.vms[vm]!;
  for (let task = first_task; task < first_task + guest.tasks.length; task += 1)
    if (isWaiting(m.nodes[task]!)) visit(m.nodes[task]!, task);
  for (let vcpu = first_vcpu; vcpu < first_vcpu + vcpus; vcpu += 1) {
    const idle = m.nodes[m.tasks.length + vcpu]!;
    if (isWaiting(idle)) visit(idle, -1);
  }
}

/** While its state is being read or written, a vCPU's debts are in the hands of the VMM. */
function isLost(m: Machine, { vcpu, token }: Node): boolean {
  const { transfer } = m.vms[m.vcpus[vcpu - 1]!.vm]!;
  return transfer === TRANSFER.none && !isOwed(m, vcpu - 1, token);
}

function countDebts(m: Machine, vm: number, isMeant: (m: Machine, node: Node) => boolean): number {
  let found = 0;
  eachDebt(m, vm, node => {
    if (isMeant(m, node)) found += 1;
  });
  return found;
}

/** Who is to answer, in words. */
function debtor(m: Machine, node: Node): string {
  const { vcpu: stored, token } = node;
  const vcpu = m.vcpus[stored - 1]!;
  if (!isOwed(m, vcpu.id, token)) return isLost(m, node) ? 'nobody' : 'the VMM';
  if (vcpu.apf_queue.toArray().some(id => m.works[id]!.token === token)) return 'a work item';
  if (vcpu.apf_done.toArray().some(id => m.works[id]!.wakeup_all)) return 'a broadcast on done';
  return vcpu.area_token !== 0 ? 'the token slot' : 'an event on its way';
}

function tell(m: Machine, vm: number, isMeant: (m: Machine, node: Node) => boolean): string {
  const debts: string[] = [];
  eachDebt(m, vm, (node, task) => {
    if (!isMeant(m, node)) return;
    const creditor = task < 0 ? 'the idle task' : m.places.tasks[task]!.spec.name;
    const age = durationText(m.clock.now_ns - node.since_ns);
    debts.push(`token 0x${node.token.toString(16)} of ${creditor}, ${age} old, owed by ${debtor(m, node)}`);
  });
  return debts.join('; ');
}

const isAny = (): boolean => true;

export const ledger: Description = {
  attributes: {
    open: {
      ...count('Delivered not-present events that no ready or broadcast has answered yet.', (m, row) =>
        countDebts(m, row, isAny),
      ),
      tell: (m, row) => tell(m, row, isAny),
    },
    lost: {
      ...count('Those that nothing is going to answer any more.', (m, row) => countDebts(m, row, isLost)),
      tell: (m, row) => tell(m, row, isLost),
    },
    oldest: quantity('time', 'For how long the oldest of them has been open.', (m, row) => {
      let oldest_ns = 0;
      eachDebt(m, row, ({ since_ns }) => {
        oldest_ns = Math.max(oldest_ns, m.clock.now_ns - since_ns);
      });
      return oldest_ns;
    }),
  },
  collections: {},
  states: {},
  series: {},
};
