/** Work items of virt/kvm/async_pf.c: tokens, limits, the gate in front of the done list, clearing, the broadcast. */
import { test } from 'uvu';
import { equal, is } from 'uvu/assert';
import { AT, STEP_NAMES } from '../../../src/sim/at.ts';
import {
  kvm_async_pf_wakeup_all,
  kvm_async_pf_wakeup_all_append,
  kvm_schedule_work,
  kvm_setup_async_pf_item,
} from '../../../src/sim/kvm/async_pf.ts';
import { alloc_apf_token, kvm_arch_can_dequeue_async_page_present } from '../../../src/sim/kvm/async_pf_x86.ts';
import { EXCEPTION } from '../../../src/sim/kvm/event_state.ts';
import { KVM_REQ_APF_READY, kvm_test_request } from '../../../src/sim/kvm/requests.ts';
import { TASK_STATE, type Thread, type Vcpu, WORK_STATE } from '../../../src/sim/schema.ts';
import { Hand, programOf } from '../hand.ts';

const hex = (token: number): string => `0x${token.toString(16)}`;

test('a token is the counter above the number of the vCPU; 0 is skipped since 5.17 only', () => {
  const tokens = (knobs: string, id: number): string => {
    const { m, vcpu } = new Hand(programOf(knobs));
    vcpu.apf_id = id;
    return [0, 1, 2].map(() => hex(alloc_apf_token(m, vcpu))).join(' ');
  };
  is(tokens('token plain', 0), '0x0 0x1000 0x2000');
  is(tokens('token nonzero', 0), '0x1000 0x2000 0x3000');
  // The counter has 20 bits in the token and 32 in the kernel.
  is(tokens('token plain', 0xfffff), '0xfffff000 0x0 0x1000');
  is(tokens('token nonzero', 0xfffff), '0xfffff000 0x1000 0x2000');
  is(tokens('token nonzero', 0x20_0000), '0x1000 0x2000 0x3000');
});

test('at most 64 items, and none without memory for one; the token is taken all the same', () => {
  const { m, vcpu } = new Hand(programOf());
  vcpu.apf_queued = 63;
  m.hosts[0]!.fail_alloc = 1;
  is(kvm_setup_async_pf_item(m, vcpu), null, 'no memory');
  is(vcpu.apf_id, 2);
  is(kvm_setup_async_pf_item(m, vcpu)?.used, 1, 'the next allocation works');
  vcpu.apf_queued = 64;
  is(kvm_setup_async_pf_item(m, vcpu), null, 'the limit');
  is(m.works.filter(work => work.used).length, 1);
});

test('what each version asks before it takes a completion off the list', () => {
  const STATES: Readonly<Record<string, (vcpu: Vcpu) => void>> = {
    'at rest': () => {},
    'PV off': vcpu => {
      vcpu.apf_en_val = 0;
    },
    'token taken': vcpu => {
      vcpu.area_token = 0x1000;
    },
    'LAPIC off': vcpu => {
      vcpu.lapic_enabled = 0;
    },
    'IF = 0': vcpu => {
      vcpu.rflags_if = 0;
    },
    'STI shadow': vcpu => {
      vcpu.shadow = 1;
    },
    '#PF pending': vcpu => {
      vcpu.exception = EXCEPTION.pending;
    },
    '#PF to reinject': vcpu => {
      vcpu.exception = EXCEPTION.injected;
    },
  };
  const variants = ['v6', 'v7', 'linux_2_6_39', 'linux_4_19', 'linux_5_8', 'linux_6_1', 'linux_6_12'];
  const rows = Object.entries(STATES).map(([name, put]) => {
    const answers = variants.map(base => {
      const { m, vcpu } = new Hand(programOf('', { base }));
      vcpu.apf_en_val = 9;
      vcpu.rflags_if = 1;
      put(vcpu);
      return kvm_arch_can_dequeue_async_page_present(m, vcpu) ? 'yes' : '-';
    });
    return `${name.padEnd(16)}${answers.map(answer => answer.padEnd(5)).join('')}`.trimEnd();
  });
  equal(
    ['                v6   v7   2639 4.19 5.8  6.1  6.12', ...rows].join('\n'),
    `
                v6   v7   2639 4.19 5.8  6.1  6.12
at rest         yes  yes  yes  yes  yes  yes  yes
PV off          yes  yes  yes  yes  yes  yes  yes
token taken     yes  yes  yes  yes  -    -    -
LAPIC off       yes  yes  yes  yes  yes  -    -
IF = 0          yes  -    -    -    yes  yes  yes
STI shadow      yes  -    -    -    yes  yes  yes
#PF pending     yes  -    -    -    yes  yes  yes
#PF to reinject yes  -    -    -    yes  yes  yes`.slice(1),
  );
});

/** What clearing does to one item in a state, step by step. */
function clearing(base: string, state: 'pending' | 'running' | 'done' | 'done, tail left'): string {
  const hand = new Hand(programOf('', { base }));
  const { m, vcpu, thread } = hand;
  const work = hand.item(3);
  let worker = null;
  if (state === 'pending') kvm_schedule_work(m, thread, work);
  else {
    worker = hand.workerWith(work);
    work.state = WORK_STATE.RUNNING;
    if (state !== 'running') hand.step(worker);
    if (state === 'done') hand.runTo(worker, 'worker_thread');
  }
  vcpu.check_return = AT.vcpu_run;
  hand.put(thread, 'kvm_clear_async_pf_completion_queue');
  const said: string[] = [];
  for (let n = 0; n < 10 && STEP_NAMES[thread.at]!.startsWith('kvm_clear_async_pf_completion_queue'); n += 1) {
    hand.step(thread);
    if (thread.task_state === TASK_STATE.RUNNING) continue;
    said.push('waits');
    if (!worker) break;
    hand.runTo(worker, 'worker_thread');
  }
  const left = m.hosts[0]!.workqueue.length;
  said.push(
    work.used ? 'kept' : 'freed',
    `queued ${vcpu.apf_queued}, lists ${vcpu.apf_queue.length}+${vcpu.apf_done.length}`,
  );
  if (left > 0) said.push('still in the workqueue');
  return said.join(', ');
}

test('clearing: cancels what has not begun, waits for what runs, frees what is done', () => {
  const FREED = 'freed, queued 0, lists 0+0';
  for (const base of ['linux_2_6_39', 'linux_4_19', 'linux_5_8', 'linux_6_12']) {
    is(clearing(base, 'pending'), FREED, `${base} pending`);
    is(clearing(base, 'running'), `waits, ${FREED}`, `${base} running`);
    is(clearing(base, 'done'), FREED, `${base} done`);
  }
});

test('clearing an item whose worker is still in the tail of its function', () => {
  // 2.6.39 cancels every item on queue, so it waits; from then to 6.8 finished items are skipped and freed under the
  // worker (B27); 6.9 and later flush them.
  is(clearing('linux_2_6_39', 'done, tail left'), 'waits, freed, queued 0, lists 0+0');
  is(clearing('linux_4_19', 'done, tail left'), 'freed, queued 0, lists 0+0');
  is(clearing('linux_5_8', 'done, tail left'), 'freed, queued 0, lists 0+0');
  is(clearing('linux_6_12', 'done, tail left'), 'waits, freed, queued 0, lists 0+0');
});

test('clearing an empty vCPU resets the hash and goes on', () => {
  const hand = new Hand(programOf());
  const { vcpu, thread } = hand;
  vcpu.set_apf_gfns(5, 1234);
  vcpu.check_return = AT.vcpu_run;
  thread.at = AT.kvm_clear_async_pf_completion_queue;
  hand.runTo(thread, 'vcpu_run');
  is(vcpu.apf_gfns(5), 0);
});

/** All of kvm_async_pf_wakeup_all(), by the vCPU's own thread. */
function wakeupAll({ m, thread }: Hand): void {
  if (kvm_async_pf_wakeup_all(m, thread) === AT['kvm_async_pf_wakeup_all.append'])
    kvm_async_pf_wakeup_all_append(m, thread);
}

test('the broadcast is put on done, counted and asked for; nothing where done is not empty or there is no memory', () => {
  const hand = new Hand(programOf());
  const { m, vcpu } = hand;
  wakeupAll(hand);
  const first = m.works[vcpu.apf_done.at(0)]!;
  equal([first.wakeup_all, vcpu.apf_done.length, vcpu.apf_queue.length, vcpu.apf_queued], [1, 1, 0, 1]);
  is(kvm_test_request(KVM_REQ_APF_READY, vcpu), true);
  wakeupAll(hand);
  is(vcpu.apf_done.length, 1, 'not a second one');

  const other = new Hand(programOf());
  other.m.hosts[0]!.fail_alloc = 1;
  wakeupAll(other);
  equal([other.vcpu.apf_done.length, other.vcpu.apf_queued], [0, 0]);
});

test('up to 5.7 the broadcast raises no request: it waits for the next pass', () => {
  const hand = new Hand(programOf('', { base: 'linux_4_19' }));
  const { vcpu } = hand;
  wakeupAll(hand);
  equal([vcpu.apf_done.length, kvm_test_request(KVM_REQ_APF_READY, vcpu)], [1, false]);
});

/** The steps of a worker from the append on: `!` where the step raised APF_READY, `*` where it kicked. */
function tail(hand: Hand, worker: Thread): string {
  const said: string[] = [];
  while (worker.at !== AT.worker_thread) {
    const { nr_kicks, requests } = hand.vcpu;
    const name = STEP_NAMES[worker.at]!.replace('async_pf_execute.', '');
    hand.step(worker);
    const raised = hand.vcpu.requests !== requests ? '!' : '';
    said.push(name + raised + (hand.vcpu.nr_kicks !== nr_kicks ? '*' : ''));
  }
  return said.join(' ');
}

test('a worker requests and kicks for the first completion only, and does not kick while a ready is unacknowledged', () => {
  const hand = new Hand(programOf());
  is(tail(hand, hand.workerWith(hand.item(1))), 'append request! kick kick_vcpu* trace wake put');
  is(tail(hand, hand.workerWith(hand.item(2))), 'append request trace wake put');
  const pending = new Hand(programOf());
  pending.vcpu.apf_pageready_pending = 1;
  is(tail(pending, pending.workerWith(pending.item(1))), 'append request! kick trace wake put');
});

test('up to 5.7 a worker wakes, no more', () => {
  const hand = new Hand(programOf('', { base: 'linux_4_19' }));
  is(tail(hand, hand.workerWith(hand.item(1))), 'append trace wake put');
});

test.run();
