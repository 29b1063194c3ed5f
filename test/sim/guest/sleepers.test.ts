/** The guest's table of tokens: what a broadcast leaves of it. */
import { test } from 'uvu';
import { equal, is } from 'uvu/assert';
import { apf_task_wake_all, kvm_async_pf_task_wake } from '../../../src/sim/guest/async_pf.ts';
import { NODE } from '../../../src/sim/schema.ts';
import { Hand, programOf } from '../hand.ts';

test('a ready that comes early leaves a dummy, and a broadcast takes it away', () => {
  const { m, vcpu } = new Hand(programOf());
  const used = () => m.nodes.filter(node => node.state !== NODE.free).length;
  kvm_async_pf_task_wake(m, vcpu, 0x5000);
  equal([used(), m.vms[0]!.nr_dummies], [1, 1]);
  apf_task_wake_all(m, vcpu);
  equal([used(), m.vms[0]!.nr_dummies], [0, 0]);
  kvm_async_pf_task_wake(m, vcpu, 0xffff_ffff);
  is(used(), 0);
});

test.run();
