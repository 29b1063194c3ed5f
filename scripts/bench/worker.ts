/**
 * One measurement in a process of its own: `worker NAME NUMBER...` prints an array of numbers.
 *
 * It is bundled as the product is, into a script, because that is what users run: V8 builds shorter code for a script
 * than for a module, and Node's type stripping takes away an assumption about array buffers that more of it rests on.
 */
import { EventQueue, nodesFor } from '../../src/base/event_queue.ts';
import { inlineMore } from '../../src/cli/inlining.ts';
import { createSimulation } from '../../src/sim/simulation.ts';
import { createTimeline } from '../../src/sim/timeline.ts';
import { importBench } from '../import_bench.ts';
import { bareHold, bareWorkload } from './bare.ts';
import { cpuNs, exponentialTable, xorshift } from './measure.ts';
import { MODES, type Workload, workload } from './programs.ts';

const SMALL = { mode: 'pv', pages: 16_384, frames: 4096, service_ns: 20_000, sim_ns: 3600e9 } as const;

/** Nanoseconds per operation: take the earliest event and arm it again, later. */
function hold(pending: number, operations: number): number {
  const nodes = nodesFor(pending);
  const queue = new EventQueue(
    pending,
    new Float64Array(nodes),
    new Float64Array(nodes),
    new Uint32Array(nodes),
    new Float64Array(1),
  );
  queue.clear();
  const deltas = exponentialTable(1 << 20);
  const random = xorshift();
  for (let source = 0; source < pending; source += 1) queue.arm(source, deltas[random() & 0xffff]!);
  const run = () => {
    for (let n = 0; n < operations; n += 1) {
      queue.arm(queue.nextSource, queue.next_ns + deltas[random() & 0xffff]!);
    }
  };
  run();
  return cpuNs(run) / operations;
}

/** State changes for each second of CPU time, and simulated seconds. The first part of the run only warms up. */
function model(of: Workload, warm_up_ns: number): readonly number[] {
  const simulation = createSimulation(workload(of), { trace: 'off' });
  inlineMore(simulation.machine);
  const { clock } = simulation.machine;
  simulation.runUntil(warm_up_ns);
  const { step, now_ns } = clock;
  const cpu_ns = cpuNs(() => simulation.runUntil(of.sim_ns));
  return [((clock.step - step) / cpu_ns) * 1e9, (of.sim_ns - now_ns) / cpu_ns];
}

/** CPU seconds of a whole run, boot included. */
function wholeRun(of: Workload): number {
  return (
    cpuNs(() => {
      const simulation = createSimulation(workload(of), { trace: 'off' });
      inlineMore(simulation.machine);
      simulation.runUntil(of.sim_ns);
    }) / 1e9
  );
}

/** Microseconds for a save into memory that is there and a restore of so much state, and for as much copied out and back. */
function snapshot(bytes: number): readonly number[] {
  const sizes = (pages: number) => createSimulation(workload({ ...SMALL, pages, frames: pages / 4 }));
  let pages = 64;
  while (sizes(pages).machine.layout.buffer.byteLength < bytes) pages += 64;
  const simulation = sizes(pages);
  simulation.runUntil(1e7);
  const there = new Uint8Array(simulation.machine.layout.buffer.byteLength);
  const times = 20_000;
  const rounds = (work: () => void) => () => {
    for (let n = 0; n < times; n += 1) work();
  };
  const kept = simulation.save();
  const live = new Uint8Array(there.length);
  const save = rounds(() => simulation.restore(simulation.save(kept)));
  const copy = rounds(() => {
    there.set(live);
    live.set(there);
  });
  save();
  copy();
  return [cpuNs(save) / times / 1e3, cpuNs(copy) / times / 1e3];
}

/** Milliseconds to go back over so many steps, from different places of a longer run. */
function back(steps: number): number {
  const timeline = createTimeline(workload(SMALL));
  timeline.forward(4 * steps);
  const times = Array.from({ length: 5 }, () => {
    const ms = cpuNs(() => timeline.back(steps)) / 1e6;
    timeline.forward(steps + 1237);
    return ms;
  });
  return times.sort((a, b) => a - b)[2]!;
}

/** Bytes of state that one more guest page takes, one more frame, and one more swap slot. */
function memory(): readonly number[] {
  const bytes = (pages: number, frames: number, swap_pages: number) =>
    createSimulation(workload({ ...SMALL, pages, frames, swap_pages })).machine.layout.buffer.byteLength;
  const most = 2 ** 17;
  const [few, many] = [most / 2, most];
  const all = bytes(most, most, most);
  return [bytes(few, most, most), bytes(most, few, most), bytes(most, most, few)].map(
    less => (all - less) / (many - few),
  );
}

function figures(name: string, numbers: readonly number[]): readonly number[] {
  const [first = 0, second = 0] = numbers;
  const of = (rest: readonly number[]): Workload => {
    const [mode = 0, pages = 0, frames = 0, service_ns = 0, sim_ms = 0] = rest;
    return { mode: MODES[mode]!, pages, frames, service_ns, sim_ns: sim_ms * 1e6 };
  };
  switch (name) {
    case 'hold':
      return [hold(first, second)];
    case 'bare-hold':
      return [bareHold(first, second)];
    case 'model':
      return model(of(numbers), numbers[5]! * 1e6);
    case 'bare-model':
      return [bareWorkload(first, second)];
    case 'run':
      return [wholeRun(of(numbers))];
    case 'snapshot':
      return snapshot(first);
    case 'back':
      return [back(first)];
    case 'memory':
      return memory();
    case 'import': {
      const cost = importBench(first);
      return [cost.mb_per_s, cost.scan_mb_per_s];
    }
    default:
      throw new Error(`no measurement named ${name}`);
  }
}

const [name = '', ...numbers] = process.argv.slice(2);
console.log(JSON.stringify(figures(name, numbers.map(Number))));
