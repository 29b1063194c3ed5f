/** Deadlocks in words, by kind. */
import { test } from 'uvu';
import { is, match } from 'uvu/assert';
import { createSimulation } from '../../../src/sim/simulation.ts';
import { deadlockText } from '../../../src/sim/why/deadlock.ts';
import { lowered } from '../../lowered.ts';

function stuck(knobs: string, act: string, base = 'linux_2_6_39', guest = 'apf on'): string {
  const program = lowered(
    `
language 1
title "stuck"
host h { cpus 2; ram 4MiB; workers 2; swap d { size 4MiB; read fixed(300us); depth 4; readahead 8 pages } }
variant mine extends ${base} { ${knobs} }
vm v on h { ram 512KiB; vcpus 1; guest { ${guest}; task t on vcpu[0] user { work 100us; read page(10); done } } }
let cold = v.heap.page(10)
evict v.heap.pages(0..63)
${act}
limit time 5ms
expect true
`,
    'mine',
  );
  const simulation = createSimulation(program, { paranoid: true });
  simulation.runUntil(Number.MAX_SAFE_INTEGER);
  return deadlockText(simulation.machine);
}

test('nothing', () => {
  is(stuck('', ''), 'nothing is stuck');
});

test('a lock cycle names who holds what', () => {
  match(
    stuck('clear locked_naive', 'after took_apf(cold) + 50us { clear_queue v.vcpu[0] }'),
    /^lock cycle: cancel waits for the work, the work waits for the lock: CPU 0\/KVM waits for the work that kworker\/\S+ runs; kworker\/\S+ waits for async_pf.lock, which CPU 0\/KVM holds$/,
  );
});

test('a worker that destroys its VM waits for itself', () => {
  match(
    stuck('', 'after took_apf(cold) + 50us { destroy v }'),
    /^lock cycle: the work waits for itself: kworker\/\S+ waits for its own work to return$/,
  );
});

test('a wake that nobody gives is lost, once nothing can happen any more', () => {
  match(stuck('wake none', '', 'v6', 'apf off'), /^(lost wake: v\.vcpu\[0\] could run, sleeps, and nobody wakes it)$/);
});

test('a completion that is owed and that nothing holds', () => {
  match(
    stuck('', 'after took_apf(cold) + 50us { clear_queue v.vcpu[0] }', 'linux_6_12'),
    /^owed completion: v\.task\.t waits for token 0x1000, and nothing holds that$/,
  );
});

test.run();
