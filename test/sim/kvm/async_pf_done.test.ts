/** The done list without its lock: what the pointers of list.h make of operations that overlap. */
import { test } from 'uvu';
import { equal, is } from 'uvu/assert';
import { done_find_next, done_find_tail, done_link, done_unlink } from '../../../src/sim/kvm/async_pf_done.ts';
import { Hand, programOf } from '../hand.ts';

/**
 * What is left of a list after steps with the items A to D: `a` looks for the end of the list to append A to it, `A` links
 * it; `<` looks at what is behind the first item, `>` takes that item out, and it is freed.
 */
function after(steps: string): string {
  const hand = new Hand(programOf('guards remove done_lock'));
  const { m, vcpu, thread } = hand;
  const items = [0, 1, 2, 3].map(page => hand.item(page));
  const nameOf = (id: number): string => 'ABCD'[items.findIndex(item => item.id === id)]!;
  for (const step of steps) {
    const index = 'ABCD'.indexOf(step.toUpperCase());
    if (step === '<') done_find_next(thread, m.works[vcpu.apf_done.at(0)]!);
    else if (step === '>') done_unlink(m, thread, vcpu).used = 0;
    else if (step === 'ABCD'[index]) done_link(m, hand.worker(index), vcpu, items[index]!);
    else done_find_tail(hand.worker(index), vcpu);
  }
  equal([...m.threads].map(({ cursor }) => cursor).filter(Boolean), [], 'nobody keeps what he has found');
  const stray = m.vms[0]!.nr_item_uses_after_free;
  const list = vcpu.apf_done.toArray().map(nameOf).join('') || 'empty';
  return `${list}${vcpu.apf_list_corrupt ? ', corrupt' : ''}${stray > 0 ? `, ${stray} into freed memory` : ''}`;
}

test('one after the other, the list is a queue', () => {
  is(after('aAbBcC'), 'ABC');
  is(after('aAbB<>cC'), 'BC');
  is(after('aA<>'), 'empty');
});

test('of two appends behind the same item the first is cut off, with what came behind it', () => {
  is(after('abAB'), 'B, corrupt');
  is(after('abBA'), 'A, corrupt');
  is(after('abAcCB'), 'B, corrupt');
  is(after('aAbcBC'), 'AC, corrupt');
  is(after('abABcC<>'), 'C, corrupt', 'what is left is a list');
});

test('an append while the last item is taken out is lost, whoever is first', () => {
  is(after('aA<bB>'), 'empty, corrupt');
  is(after('aA<bB>cC'), 'C, corrupt', 'and the list is whole again');
  is(after('aAb<>B'), 'empty, corrupt, 1 into freed memory');
  is(after('aAb<>BcCdD'), 'empty, corrupt, 1 into freed memory', 'what comes later hangs behind what is lost');
  is(after('aAbB<cC>'), 'BC', 'two items are far enough apart');
});

test('what was cut off comes back where the one before it is taken out', () => {
  // C is linked in place of B and its follower D, and A is taken out as it was found before: B is next.
  is(after('aAbcBdD<C>'), 'BD, corrupt');
});

test.run();
