/** Faults on order: what the next so many kicks, interrupts or work items of a VM come to. */
import { ORDERED_NAMES } from '../../sim/ordered.ts';
import { expression, oneOf, place, sum, word } from '../holes.ts';
import { statement } from '../statement.ts';
import { opt, seq } from '../syntax.ts';
import { COUNT, TIME } from '../units.ts';

function fault(keyword: 'drop' | 'duplicate' | 'delay', summary: string, example: string) {
  return statement({
    id: keyword,
    keyword,
    where: ['file', 'case', 'act', 'faults'],
    syntax: seq(
      word(keyword),
      oneOf('what', ORDERED_NAMES),
      opt(seq(word('of'), place('vm', 'VM'))),
      expression('times', 'NUMBER | A..B'),
      opt(seq(word('by'), sum('time', 'TIME'))),
    ),
    summary,
    about:
      'A kick is kvm_vcpu_kick(), an ipi the interrupt that it sends to a vCPU in guest mode; ready is what the guest is told, completed the wake-up at the end of a worker, work the queueing of an item, interrupt any vector that a LAPIC is to take.',
    examples: [example],
    check({ vm, times, time }, _at, check) {
      if (vm) check.thing(vm, 'vm');
      check.countOrRange(times, COUNT);
      if (time) check.quantity(time, TIME);
    },
    lower: ({ what, vm, times, time }, at, lowering) => {
      const kind = ORDERED_NAMES.find(each => each === what.text);
      if (kind) lowering.faults.order(keyword, kind, vm, times, time, at);
    },
  });
}

export const orders = [
  fault('drop', 'The next so many are lost.', 'drop kick 1'),
  fault('duplicate', 'The next so many happen twice.', 'duplicate ready 1'),
  fault('delay', 'The next so many come late.', 'delay work 1 by 5ms'),
];
