/** The guest's table of tokens: early wakes, the buckets' locks, what a broadcast leaves of it. */
import { test } from 'uvu';
import { equal, is } from 'uvu/assert';
import {
  apf_task_wake_all,
  kvm_async_pf_task_wait,
  kvm_async_pf_task_wake,
  sleeper_bucket,
} from '../../../src/sim/guest/async_pf.ts';
import { push_frame } from '../../../src/sim/guest/frames.ts';
import { FRAME, FRAME_AT, NODE, type Vcpu } from '../../../src/sim/schema.ts';
import { Hand, programOf } from '../hand.ts';

const EARLY = 0x5000;

/** In the handler of a ready interrupt that has read this token. */
function handling(hand: Hand, vcpu: Vcpu, token: number): void {
  push_frame(hand.m, vcpu, FRAME.apf_ready, FRAME_AT.token, 0xf3, token);
}

const used = ({ m }: Hand): number => m.nodes.filter(node => node.state !== NODE.free).length;

for (const [dummies, tries] of [
  ['unlocked', 2],
  ['under_lock', 1],
] as const) {
  test(`a ready that comes early leaves a dummy, ${dummies}, and a broadcast takes it away`, () => {
    const hand = new Hand(programOf(`guest_dummy_alloc ${dummies}`));
    const { m, vcpu } = hand;
    handling(hand, vcpu, EARLY);
    let steps = 1;
    while (!kvm_async_pf_task_wake(m, vcpu, EARLY)) steps += 1;
    equal([steps, used(hand), m.vms[0]!.nr_dummies], [tries, 1, 1]);
    apf_task_wake_all(m, vcpu);
    equal([used(hand), m.vms[0]!.nr_dummies], [0, 0]);
    is(kvm_async_pf_task_wake(m, vcpu, 0xffff_ffff), true);
    is(used(hand), 0);
  });

  test(`without memory it is tried again, ${dummies}`, () => {
    const hand = new Hand(programOf(`guest_dummy_alloc ${dummies}`));
    const { m, vcpu } = hand;
    m.vms[0]!.fail_guest_alloc = 3;
    handling(hand, vcpu, EARLY);
    let steps = 1;
    while (!kvm_async_pf_task_wake(m, vcpu, EARLY)) steps += 1;
    equal([steps, used(hand)], [tries + 3, 1]);
  });
}

test('the task that parks meanwhile is found, and the memory not needed', () => {
  const hand = new Hand(programOf());
  const { m, vcpu } = hand;
  handling(hand, vcpu, EARLY);
  is(kvm_async_pf_task_wake(m, vcpu, EARLY), false);
  m.nodes[0]!.state = NODE.parked;
  m.nodes[0]!.token = EARLY;
  m.nodes[0]!.vcpu = vcpu.id + 1;
  is(kvm_async_pf_task_wake(m, vcpu, EARLY), true);
  equal([used(hand), m.vms[0]!.nr_dummies], [0, 0]);
});

test('two CPUs contend for a bucket only where their tokens fall into the same', () => {
  const hand = new Hand(programOf('', { vcpus: 2 }));
  const { m } = hand;
  const [one, two] = [m.vcpus[0]!, m.vcpus[1]!];
  const other = [...Array(5000).keys()].map(n => (n << 12) | 1).find(t => sleeper_bucket(t) === sleeper_bucket(EARLY))!;
  handling(hand, one, EARLY);
  handling(hand, two, other);
  kvm_async_pf_task_wait(m, one, EARLY);
  equal([one.bucket_lock, used(hand)], [sleeper_bucket(EARLY) + 1, 0], 'taken, nothing done under it yet');
  for (let spin = 0; spin < 3; spin += 1) is(kvm_async_pf_task_wake(m, two, other), false);
  is(two.bucket_lock, 0);
  is(kvm_async_pf_task_wake(m, two, 0x7000), false, 'another bucket is free');
  is(two.bucket_lock, sleeper_bucket(0x7000) + 1);
});

test.run();
