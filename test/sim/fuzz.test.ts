/**
 * Programs made up from seeds, on every version: no law broken, no wake-up lost, and the same run however it is run.
 *
 * A failure names its seed and version; `randomProgram(seed, { variant })` makes the program again.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fingerprintText } from '../../src/base/fingerprint.ts';
import { pending_timer } from '../../src/sim/kvm/lapic.ts';
import type { Machine } from '../../src/sim/machine.ts';
import { hashOf } from '../../src/sim/meaning.ts';
import { mmap_readers } from '../../src/sim/mm/mmap_lock.ts';
import { has_flag, PG_locked } from '../../src/sim/mm/page.ts';
import { page_missing } from '../../src/sim/mm/userfault.ts';
import type { Program } from '../../src/sim/program.ts';
import { TASK_STATE, THREAD_KIND, type Thread, WAIT, WORK_STATE } from '../../src/sim/schema.ts';
import { createSimulation, type Simulation, type SimulationOptions } from '../../src/sim/simulation.ts';
import { vcpu_thread_left } from '../../src/sim/vmm/main_loop.ts';
import { randomProgram, VARIANTS } from './random_program.ts';

const SEEDS = [3, 14, 39, 79, 112, 122, 1076, 2054];
const BOUND = { limit_steps: 2_500 };

/** Programs that once broke something, besides. */
const ONCE_BROKEN: readonly (readonly [seed: number, variant: string])[] = [
  [171, 'v6'],
  [512, 'random'],
];

const chosen = VARIANTS.flatMap((variant, index) =>
  // All seeds on the versions of today and on made-up ones, two on each of the others.
  (['linux_6_12', 'random'].includes(variant) ? SEEDS : [SEEDS[index % SEEDS.length] ?? 0, 200 + index]).map(
    seed => [seed, variant] as const,
  ),
);

const cases = [...chosen, ...ONCE_BROKEN].map(([seed, variant]) => ({
  name: `seed ${seed} on ${variant}`,
  program: randomProgram(seed, { variant, ...BOUND }),
}));

function finished(program: Program, options: SimulationOptions = {}): Simulation {
  const simulation = createSimulation(program, options);
  simulation.runUntil(program.limit_ns);
  return simulation;
}

const stateOf = ({ machine }: Simulation): string => fingerprintText(hashOf(machine));

/**
 * Threads that sleep although what they wait for is there. A sleep in the memory manager or for a work item ends in the
 * step that ends its cause; with the others there are steps between, so they are only looked at when all is at rest.
 */
function forgotten(m: Machine, at_rest: boolean): readonly string[] {
  return m.threads.flatMap(thread => {
    if (thread.held || thread.task_state === TASK_STATE.RUNNING) return [];
    const { host, comm } = m.places.threads[thread.id]!;
    return sleepsInVain(m, thread, at_rest) ? [`${comm} of host ${host}`] : [];
  });
}

/** Threads that wait until somebody wants something of them. */
const MAY_SLEEP: ReadonlySet<number> = new Set([
  THREAD_KIND.uffd,
  THREAD_KIND.vmm,
  THREAD_KIND.migration,
  THREAD_KIND.incoming,
  THREAD_KIND.postcopy_fault,
]);

function sleepsInVain(m: Machine, thread: Thread, at_rest: boolean): boolean {
  const place = m.places.threads[thread.id]!;
  const host = m.hosts[place.host]!;
  if (thread.wait === WAIT.page) return !has_flag(m, thread.wait_id, PG_locked);
  if (thread.wait === WAIT.work_done) return m.works[thread.wait_id]!.state !== WORK_STATE.RUNNING;
  if (thread.wait === WAIT.userfault) return !page_missing(m, thread.wait_id);
  if (thread.wait === WAIT.message || thread.wait === WAIT.fetch)
    return at_rest && (thread.wait === WAIT.fetch || messagesFor(m, thread) > 0);
  if (thread.wait === WAIT.thread_end) return vcpu_thread_left(m, place.vm) < 0;
  if (thread.wait === WAIT.mmap_lock)
    return m.vms[thread.wait_id]!.mmap_writer === 0 && mmap_readers(m, thread.wait_id) === 0;
  // For the other side, or a link that may be cut for good.
  if (thread.wait === WAIT.link || thread.wait === WAIT.migration) return false;
  if (thread.wait !== WAIT.nothing) return host.oom === 0 && host.nr_io_active === 0;
  if (!at_rest) return false;
  if (MAY_SLEEP.has(thread.kind)) return false;
  if (thread.kind === THREAD_KIND.kworker) return host.workqueue.length > 0;
  if (thread.kind === THREAD_KIND.kswapd) return host.evict.length > 0;
  const vcpu = m.vcpus[place.vcpu]!;
  return pending_timer(vcpu) >= 0 || vcpu.signal_pending === 1;
}

function messagesFor(m: Machine, thread: Thread): number {
  return m.vms[m.places.threads[thread.id]!.vm]!.uffd_messages.length;
}

test('no law is broken, time goes on, and nobody is forgotten', () => {
  for (const { name, program } of cases) {
    const { machine, over } = finished(program, { paranoid: true });
    assert.ok(Number.isSafeInteger(machine.clock.now_ns), name);
    assert.ok(over !== 'steps' || machine.clock.now_ns > 10_000, `${name}: ${machine.clock.now_ns} ns is no progress`);
    assert.equal(forgotten(machine, over === 'quiescent'), [], name);
  }
});

test('watched, traced or neither: the same states', () => {
  for (const { name, program } of cases) {
    const plain = finished(program);
    assert.is(stateOf(finished(program, { trace: 'off' })), stateOf(plain), name);
    const recorded = finished(program, { trace: 'sched', paranoid: true, record: () => undefined });
    assert.is(stateOf(recorded), stateOf(plain), name);
  }
});

test('in slices, step by step, saved and restored: the same run', () => {
  for (const { name, program } of cases) {
    const whole = finished(program);
    const stepped = createSimulation(program);
    while (stepped.step());
    assert.is(stepped.outcome().trace_hash, whole.outcome().trace_hash, name);
    assert.is(stateOf(stepped), stateOf(whole), name);

    const restored = createSimulation(program);
    restored.runUntil(Math.floor(whole.machine.clock.now_ns / 3));
    const saved = restored.save();
    restored.runUntil(program.limit_ns);
    restored.restore(saved);
    const other = createSimulation(program);
    other.restore(saved);
    for (const simulation of [restored, other]) {
      simulation.runUntil(program.limit_ns);
      assert.is(simulation.outcome().trace_hash, whole.outcome().trace_hash, name);
      assert.is(stateOf(simulation), stateOf(whole), name);
    }
  }
});

test.run();
