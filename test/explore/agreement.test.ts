/** A timed run is one of the orders that are explored: each of its steps can be made in turn, and does the same. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { untimed } from '../../src/explore/untimed.ts';
import { World } from '../../src/explore/world.ts';
import { AT, STEP_NAMES } from '../../src/sim/at.ts';
import { NO_THREAD } from '../../src/sim/engine.ts';
import type { Machine } from '../../src/sim/machine.ts';
import { THREAD_KIND } from '../../src/sim/schema.ts';
import { createSimulation } from '../../src/sim/simulation.ts';
import { faults, programOf } from './small.ts';

const test = suite('agreement');

const TEXT = faults(
  'task a on vcpu[0] user { sleep 30us; read page(1); done }; task b on vcpu[0] user { sleep 30us; write page(4); done }; irq net on vcpu[0] { reschedule }',
  'at 40us irq net on t.vcpu[0]; at 90us touch t.page(1); expect finished: done(a) and done(b)',
);

/** Where each vCPU thread stands, what each guest task has done, and what is outstanding. */
function picture(m: Machine): string {
  const threads = m.places.vcpus.map(({ thread }) => STEP_NAMES[m.threads[thread]!.at]);
  const tasks = m.tasks.map(({ state, pc }) => `${state}.${pc}`);
  const vcpus = m.vcpus.map(
    ({ mp_state, requests, mode, apf_queue, apf_done }) =>
      `${mp_state} ${requests} ${mode} ${apf_queue.length} ${apf_done.length}`,
  );
  return [...threads, ...tasks, ...vcpus].join(', ');
}

interface Event {
  readonly source: number;
  /** Of a request the slot it is for. */
  readonly slot: number;
}

/** Tells which source had its turn last: the engine disarms it just before. */
function listen({ queue, ios, places }: Machine): () => Event | null {
  let last: Event | null = null;
  const disarm = queue.disarm.bind(queue);
  queue.disarm = source => {
    last = { source, slot: source < places.source.timer ? ios[source]!.slot : 0 };
    disarm(source);
  };
  return () => last;
}

/** The same in the world: a request is the one for the same slot, the others are numbered alike. */
function moveOf(timed: Machine, world: World, { source, slot }: Event): number {
  const { m, threads } = world;
  const { source: first } = timed.places;
  if (source < first.timer) return threads + m.ios.findIndex(io => io.state !== 0 && io.slot === slot);
  return threads + m.places.source.timer + source - first.timer;
}

for (const variant of ['sync', 'v7', 'linux_2_6_39', 'linux_4_19', 'linux_5_8', 'linux_6_1', 'linux_6_12'])
  test(`a run on ${variant} is a path`, () => {
    const program = programOf(TEXT, variant);
    const simulation = createSimulation(program);
    const timed = simulation.machine;
    const world = new World(untimed(program).program);
    const enabled = new Int32Array(world.moves);
    // What is evicted at the start is gone before anybody moves, there.
    const { kswapd } = timed.places.hosts[0]!;
    const heard = listen(timed);
    let steps = 0;
    let running = 0;
    for (let alive = true; alive; ) {
      const before = timed.threads.map(({ at, work }) => ({ at, work }));
      const { step } = timed.clock;
      alive = simulation.step();
      if (timed.clock.step === step) continue;
      const thread = timed.clock.current_thread;
      const event = thread === NO_THREAD ? heard() : null;
      const at = event ? AT.off : before[thread]!.at;
      // A worker is at its item at once there.
      if (thread === kswapd || at === AT.worker_thread) continue;
      const item = event ? 0 : before[thread]!.work;
      const worker = item > 0 && timed.threads[thread]!.kind === THREAD_KIND.kworker;
      const move = event ? moveOf(timed, world, event) : worker ? world.m.places.hosts[0]!.workers[item - 1]! : thread;
      // Whose turn it is in the guest only a clock can tell: there it is chosen.
      const current = timed.vcpus[0]!.current;
      const prefers = world.threads + world.m.places.sources + current - 1;
      if (current !== running && current > 0 && enabled.subarray(0, world.enabled(enabled)).includes(prefers))
        world.take(prefers);
      running = current;
      const count = world.enabled(enabled);
      assert.ok(enabled.subarray(0, count).includes(move), `step ${step}: ${STEP_NAMES[at]} can be taken`);
      world.take(move);
      steps += 1;
      assert.is(picture(world.m), picture(timed), `after step ${step}, ${STEP_NAMES[at]}`);
    }
    assert.ok(steps > 60, `${steps} steps`);
  });

test.run();
