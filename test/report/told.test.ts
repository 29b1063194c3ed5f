/** Runs told turn by turn: text in, text out. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.ts';
import { reviewText } from '../../src/report/review.ts';
import { TOLD, toldText } from '../../src/report/told.ts';
import { tell } from '../../src/sim/tell.ts';
import { counterexamplesOf, MISSING_PAGE } from '../explore/counterexamples.ts';
import { faults, programOf } from '../explore/small.ts';

const test = suite('told');

const phantom = tell(present(counterexamplesOf(MISSING_PAGE, 'v6')[0], 'one was found'));
const sleeper = tell(present(counterexamplesOf(MISSING_PAGE, 'linux_2_6_39')[0], 'one was found'));

test('a story says who did what, and what each thing means once', () => {
  assert.is(
    toldText(phantom, 'story'),
    `small: c, on v6
29 steps, 2 shown steps, 1 context switch

 1. kswapd0, 9 steps (350ns)
    try_to_unmap()  evicted(t.heap.page(1)): The page was taken from the guest
        and is in swap.
    try_to_unmap()  evicted(t.heap.page(4))
    kswapd()  kswapd0 sleeps
 2. CPU 0/KVM, 20 steps (4.8us)
    guest()  switch_to(t.task.a): The guest scheduler has switched to the task.
    handle_exit()  fault(t.heap.page(1)): The guest touched a page that is not
        mapped; the vCPU has exited.
    kvm_faultin_pfn()  swap_submit(t.heap.page(1)): A read of the page was given
        to the swap device.
    kvm_faultin_pfn()  swap_submit(t.heap.page(4))
    kvm_faultin_pfn()  took_apf(t.heap.page(1)): The fault was made
        asynchronous: a work item was set up.
    kvm_setup_async_pf()  wakes kworker/0:0
    kvm_setup_async_pf()  t.vcpu[0].queue: 0 -> 1
    kvm_check_async_pf_completion()  halt(t.vcpu[0]): The vCPU was marked halted
        for a missing page: the synthetic halt.
    kvm_check_async_pf_completion()  not_present(t.heap.page(1)): Not-present
        was handled: the guest told, or the vCPU asked to halt.
    kvm_check_async_pf_completion()  t.vcpu[0].mp_state: RUNNABLE -> HALTED

t.vcpu[0] waits for a host CPU at vcpu_run.tail
always 'honest' fails: expected real_halts_only(t)
  found v = t.vcpu[0]: v.mp_state is HALTED, t.vcpu[0] is not executing(HLT)
`,
  );
});

test('a sequence diagram has a column for each actor', () => {
  assert.is(
    toldText(phantom, 'sequence').split('\n').slice(3, 10).join('\n'),
    `      kswapd0                             CPU 0/KVM
    3 * evicted(page(1))                  |
      * evicted(page(4))                  |
      * kswapd0 sleeps                    |
   20 |                                   * switch_to(a)
      |                                   * fault(page(1))
      |                                   * swap_submit(page(1))`,
  );
});

test('who is woken stands at the end of an arrow', () => {
  const text = faults('task a on vcpu[0] user { read page(1); done }', 'expect done(a)');
  const lines = toldText(tell(programOf(text, 'linux_6_12')), 'sequence').split('\n');
  assert.ok(lines.some(line => /\*-+ wakes -+>\|/.test(line)));
  assert.ok(lines.some(line => /\|<-+ wakes -+\*/.test(line)));
});

test('nothing is wider than it may be', () => {
  const widths = { story: 80, sequence: 100, table: 120 };
  for (const telling of [phantom, sleeper])
    for (const as of TOLD)
      for (const line of toldText(telling, as).split('\n')) assert.ok(line.length <= widths[as], `${as}: ${line}`);
});

test('what is missing is said where somebody sleeps for ever', () => {
  const story = toldText(sleeper, 'story');
  assert.match(story, 't.vcpu[0] sleeps in kvm_vcpu_block, not runnable\n  missing: ');
  assert.match(story, "always 'woken' fails: expected no_unwoken_sleeper(t)");
});

test('a review fits into a mail', () => {
  const text = reviewText(sleeper, MISSING_PAGE, 'apflab replay found.run');
  for (const line of text.split('\n')) assert.ok(line.length <= 72, line);
  assert.not(text.includes('\u001b'));
  assert.match(text, '## Rule\n\n    always woken: no_unwoken_sleeper(t)\n');
  assert.match(text, '    host h {\n      cpus 2\n      ram 1MiB\n');
  assert.match(text, '## Again\n\n    apflab replay found.run\n');
});

test.run();
