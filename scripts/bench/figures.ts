/**
 * What is measured, each figure in turn with its yardstick, so that a busy machine slows both.
 *
 * A ratio is the median of the ratios of neighbours, not the ratio of the medians.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { ROOT } from '../imports.ts';
import { type Children, output } from './children.ts';
import { median } from './measure.ts';
import { MODES } from './programs.ts';
import type { Figure } from './schema.ts';

export interface Bench {
  /** Named with `--only`. */
  readonly name: string;
  run(children: Children, quick: boolean): readonly Figure[];
}

/** The guest of the published benchmark, and a disk that answers in 20 microseconds: it is the model that must be fast. */
const PAGES = 524_288;
const FRAMES = 131_072;
const SERVICE_NS = 20_000;
/** 1 GiB under 512 MiB with a disk of 5 ms, for 60 s. */
const PUBLISHED = { pages: 262_144, frames: 131_072, service_ns: 5_000_000, sim_ms: 60_000, runs: 30 };

type Pair = readonly [value: number, yardstick: number | null];

function figure(name: string, unit: string, pairs: readonly Pair[]): Figure {
  const yardsticks = pairs.flatMap(([, yardstick]) => yardstick ?? []);
  const ratios = pairs.flatMap(([value, yardstick]) => (yardstick === null ? [] : value / yardstick));
  return {
    name,
    value: rounded(median(pairs.map(([value]) => value))),
    unit,
    yardstick: yardsticks.length > 0 ? rounded(median(yardsticks)) : null,
    ratio: ratios.length > 0 ? rounded(median(ratios)) : null,
  };
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

function rounds<T>(count: number, measure: () => T): readonly T[] {
  return Array.from({ length: count }, measure);
}

/** The number that stands in a line of output. */
function numberIn(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`no ${pattern} in ${text}`);
  return Number(found);
}

const queue: Bench = {
  name: 'queue',
  run({ worker, yardstick }, quick) {
    return [100, 1000, 1_000_000].map(pending => {
      const operations = quick ? 1_000_000 : 4_000_000;
      const pairs = rounds(quick ? 3 : 5, (): Pair => {
        const theirs = yardstick
          ? numberIn(yardstick('hold', 'pq', pending, operations), /([\d.]+) ns\/hold/)
          : worker('bare-hold', pending, operations)[0]!;
        return [1e3 / worker('hold', pending, operations)[0]!, 1e3 / theirs];
      });
      return figure(`event queue, ${pending} pending`, 'M/s', pairs);
    });
  },
};

const model: Bench = {
  name: 'model',
  run({ worker, yardstick }, quick) {
    return MODES.flatMap((mode, number) => {
      const [sim_ms, warm_up_ms] = quick ? [2000, 1000] : [20_000, 12_000];
      const measured = rounds(quick ? 1 : 5, () => {
        const theirs = yardstick?.('apf', mode, 'cfs', 4, PAGES, FRAMES, SERVICE_NS, 60_000);
        const events = theirs ? numberIn(theirs, /([\d.]+) Mev\/s/) : worker('bare-model', PAGES, FRAMES)[0]! / 1e6;
        const [changes = 0, sim = 0] = worker('model', number, PAGES, FRAMES, SERVICE_NS, sim_ms, warm_up_ms);
        return {
          events,
          changes: changes / 1e6,
          sim,
          sim_theirs: theirs ? numberIn(theirs, /sim\/cpu=([\d.]+)/) : null,
        };
      });
      return [
        figure(
          `model ${mode}, state changes`,
          'M/s',
          measured.map(({ changes, events }) => [changes, events]),
        ),
        figure(
          `model ${mode}, simulated time`,
          's/s',
          measured.map(({ sim, sim_theirs }) => [sim, sim_theirs]),
        ),
      ];
    });
  },
};

const published: Bench = {
  name: 'published',
  run({ worker, yardstick }, quick) {
    if (quick) return [];
    const { pages, frames, service_ns, sim_ms, runs } = PUBLISHED;
    const pairs = MODES.map((mode, number): Pair => {
      const theirs = yardstick?.('apf', mode, 'cfs', 4, pages, frames, service_ns, sim_ms);
      const ours = worker('run', number, pages, frames, service_ns, sim_ms)[0]!;
      return [runs * ours, theirs ? runs * numberIn(theirs, /cpu=([\d.]+)s/) : null];
    });
    return [figure(`published benchmark, ${runs} runs of 60 s`, 's', pairs)];
  },
};

const snapshot: Bench = {
  name: 'snapshot',
  run({ worker }, quick) {
    const pairs = rounds(quick ? 3 : 5, (): Pair => {
      const [ours = 0, copy = 0] = worker('snapshot', 65_536);
      return [ours, copy];
    });
    return [figure('snapshot and restore of 64 KiB', 'us', pairs)];
  },
};

const imports: Bench = {
  name: 'import',
  run({ worker }, quick) {
    const pairs = rounds(quick ? 1 : 3, (): Pair => {
      const [ours = 0, scan = 0] = worker('import', quick ? 16 : 64);
      return [ours, scan];
    });
    return [figure('import of ftrace text', 'MB/s', pairs)];
  },
};

const TEN_LINES = `language 1
title "Ten lines"
host desk { cpus 1; ram 4MiB; page 4KiB; workers 4; swap disk { size 4MiB; read fixed(1ms); depth 1 } }
vm web on desk {
  ram 64KiB; paging tdp; irqchip kernel; vcpus 1
  protocol linux_6_12
  guest { apf on; task app on vcpu[0] user { loop { read heap.page(0); work 300us } } }
}
at 1ms evict web.heap.page(0)
limit time 5ms
`;

const startUp: Bench = {
  name: 'start-up',
  run({ folder }, quick) {
    const hook = join(folder, 'cpu.cjs');
    const empty = join(folder, 'empty.mjs');
    const scenario = join(folder, 'ten.apf');
    const spent = join(folder, 'spent');
    writeFileSync(
      hook,
      `process.on('exit', () => { const { user, system } = process.cpuUsage(); require('node:fs').writeFileSync(${JSON.stringify(spent)}, String((user + system) / 1e3)); });\n`,
    );
    writeFileSync(empty, '');
    writeFileSync(scenario, TEN_LINES);
    // A folder of its own for the code that is kept: what a longer run has left there takes longer to read.
    const env = { ...process.env, NODE_COMPILE_CACHE: join(folder, 'code') };
    const cpuMs = (...args: readonly string[]) => {
      output(process.execPath, ['--require', hook, ...args], env);
      return Number(
        output(process.execPath, ['-p', `require('node:fs').readFileSync(${JSON.stringify(spent)}, 'utf8')`]),
      );
    };
    cpuMs(join(ROOT, 'bin/apflab.js'), 'run', scenario);
    const pairs = rounds(quick ? 5 : 15, (): Pair => {
      const nothing = cpuMs(empty);
      return [cpuMs(join(ROOT, 'bin/apflab.js'), 'run', scenario) - nothing, nothing];
    });
    return [figure('start-up of apflab run, above an empty program', 'ms', pairs)];
  },
};

const FRAME_LIMIT_MS = 16;

const frame: Bench = {
  name: 'frame',
  run(_children, quick) {
    const script = pathToFileURL(join(ROOT, 'scripts/frame_bench.ts')).href;
    const code = `const { frameBench } = await import(${JSON.stringify(script)});
      console.log(JSON.stringify(await frameBench(64, 200, 80, ${quick ? 40 : 200})));`;
    const pairs = rounds(quick ? 1 : 3, (): Pair => {
      const { cpu_ms } = z
        .object({ cpu_ms: z.number() })
        .parse(JSON.parse(output(process.execPath, ['--input-type=module', '--eval', code])));
      return [cpu_ms, FRAME_LIMIT_MS];
    });
    return [figure('frame of the monitor, 200x80, 64 vCPUs', 'ms', pairs)];
  },
};

const BACK_LIMIT_MS = 200;

const back: Bench = {
  name: 'back',
  run({ worker }, quick) {
    const pairs = rounds(quick ? 1 : 3, (): Pair => [worker('back', 100_000)[0]!, BACK_LIMIT_MS]);
    return [figure('step back over 100,000 events', 'ms', pairs)];
  },
};

/** Bytes that plain tables would take: a mapping per page; the page and two links per frame; the page per slot. */
const PLAIN_BYTES = { 'guest page': 4, frame: 12, 'swap slot': 4 };

const memory: Bench = {
  name: 'memory',
  run({ worker }) {
    const bytes = worker('memory');
    return Object.entries(PLAIN_BYTES).map(([thing, plain], index) =>
      figure(`state of a ${thing}`, 'bytes', [[bytes[index]!, plain]]),
    );
  },
};

export const BENCHES: readonly Bench[] = [queue, model, published, snapshot, imports, startUp, frame, back, memory];
