/**
 * `npm run bench`: how fast it is, against yardsticks that run in turn with it.
 *
 * The figures are CPU time. Those of a loaded or a different machine differ, so what counts is the ratio.
 */
import { scriptArgs } from './args.ts';
import { prepare } from './bench/children.ts';
import { BENCHES } from './bench/figures.ts';
import { BENCH, type Figure } from './bench/schema.ts';
import { build, isStale } from './build.ts';

const names = BENCHES.map(({ name }) => name);

const USAGE = `npm run bench -- [--json] [--only NAME] [--quick]

Measures the event queue, the model, and what a user waits for, each against a yardstick.
  --json          an array of {name, value, unit, yardstick, ratio}: see docs/schema/bench.json
  --only NAME     one of ${names.join(', ')}; may be repeated
  --quick         fewer and shorter rounds; says less

A ratio is value / yardstick. The C++ programs in ../shared/bench are the yardsticks of queue and model where they
and g++ are there; else loops over typed arrays are. docs/performance.md says what was found and how.`;

const { values } = scriptArgs(USAGE, {
  json: { type: 'boolean', default: false },
  only: { type: 'string', multiple: true, default: [] },
  quick: { type: 'boolean', default: false },
});
const unknown = values.only.filter(name => !names.includes(name));
if (unknown.length > 0) {
  console.error(`no benchmark named ${unknown.join(', ')}\nhint: there are ${names.join(', ')}`);
  process.exit(4);
}

if (isStale()) await build();
const children = await prepare();
try {
  const figures: Figure[] = [];
  if (!values.json) console.log(line('', 'value', '', 'yardstick', 'ratio'));
  for (const { name, run } of BENCHES) {
    if (values.only.length > 0 && !values.only.includes(name)) continue;
    for (const figure of run(children, values.quick)) {
      figures.push(figure);
      if (!values.json) console.log(text(figure));
    }
  }
  if (values.json) console.log(JSON.stringify(BENCH.parse(figures), null, 2));
  else console.log(`\nyardsticks of queue and model: ${children.yardstick ? 'C++' : 'loops over typed arrays'}`);
} finally {
  children.dispose();
}

function text({ name, value, unit, yardstick, ratio }: Figure): string {
  return line(
    name,
    String(value),
    unit,
    yardstick === null ? '' : String(yardstick),
    ratio === null ? '' : ratio.toFixed(2),
  );
}

function line(name: string, value: string, unit: string, yardstick: string, ratio: string): string {
  return `${name.padEnd(48)}${value.padStart(10)} ${unit.padEnd(6)}${yardstick.padStart(10)}${ratio.padStart(8)}`;
}
