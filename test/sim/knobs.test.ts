/** Every value of every knob makes a difference to some scenario, every preset has a card, one knob is one row. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import { equal, is, ok } from 'uvu/assert';
import type { Program } from '../../src/sim/program.ts';
import { CARDS } from '../../src/sim/protocol/cards.ts';
import { isSetKnob, KNOB_NAMES, KNOBS, type KnobName, type Knobs } from '../../src/sim/protocol/knobs.ts';
import { knobsOf, knobsThatDiffer, PRESET_NAMES, PRESETS } from '../../src/sim/protocol/presets.ts';
import { createSimulation } from '../../src/sim/simulation.ts';
import { runsOf } from '../runs.ts';

/** Runs that are looked at for one value before it counts as one that nothing depends on. */
const TRIES = 300;
const STEPS = 400_000;

/** Shown by another test than a scenario's run. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  guards: 'test/cli/mutate.test.ts',
  trace_mode: 'the scenarios about addresses, which ask for it in their judgements',
};

const root = join(import.meta.dirname, '../..');
const files = readdirSync(join(root, 'scenarios'), { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.apf'))
  .map(name => `scenarios/${name}`)
  .sort();
const texts = new Map(files.map(file => [file, readFileSync(join(root, file), 'utf8')]));

function remembered<K, V>(make: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return key => {
    const value = known.get(key) ?? make(key);
    known.set(key, value);
    return value;
  };
}

const programs = remembered((file: string) => runsOf(file));

/** What a run shows: its trace, its end, its verdicts and the costs it reports. */
function shows(program: Program): string {
  const simulation = createSimulation(program);
  simulation.runUntil(program.limit_ns, STEPS);
  const { trace_hash, steps, sim_ns, violations, report } = simulation.outcome();
  return JSON.stringify([trace_hash, steps, sim_ns, violations.length, report.map(({ value }) => value)]);
}
const shown = remembered(shows);

/** The knob turned so that this value decides: taken on, or, in a set, put in or taken out. Null where it has it. */
function turned(knobs: Knobs, knob: KnobName, value: string): Knobs | null {
  const was: string | readonly string[] = knobs[knob];
  if (typeof was === 'string') return was === value ? null : { ...knobs, [knob]: value };
  return { ...knobs, [knob]: was.includes(value) ? was.filter(each => each !== value) : [...was, value].sort() };
}

/** Files that speak of the knob and the value first: they are likely to be about it. */
function likely(knob: KnobName, value: string): readonly string[] {
  const score = (file: string): number => {
    const text = texts.get(file) ?? '';
    const named = file.includes(knob.replaceAll('_', '-'));
    return (named ? 4 : 0) + (text.includes(knob) ? 2 : 0) + (text.includes(value) ? 1 : 0);
  };
  return files.toSorted((a, b) => score(b) - score(a));
}

/** Another value that some run shows to be different from this one. */
function differs(knob: KnobName, value: string): boolean {
  let tries = 0;
  for (const file of likely(knob, value)) {
    for (const program of programs(file)) {
      const vms = program.vms.map(vm => ({ ...vm, knobs: turned(vm.knobs, knob, value) ?? vm.knobs }));
      if (vms.every((vm, index) => vm.knobs === program.vms[index]?.knobs)) continue;
      tries += 1;
      if (tries > TRIES) return false;
      if (shows({ ...program, vms }) !== shown(program)) return true;
    }
  }
  return false;
}

/** Values that no scenario shows to be different from another. */
function silent(knob: KnobName): readonly string[] {
  const values: readonly string[] = KNOBS[knob].values;
  const silentOnes = values.filter(value => !differs(knob, value));
  // Of two values it is enough that a run tells them apart in one direction.
  return !isSetKnob(knob) && values.length - silentOnes.length >= 1 && silentOnes.length === 1 ? [] : silentOnes;
}

for (const knob of KNOB_NAMES.filter(name => !(name in ELSEWHERE))) {
  test(`each value of ${knob} makes a difference`, () => {
    equal(silent(knob), []);
  });
}

test('every preset has a card, and says what is ours where it is a reconstruction', () => {
  equal(Object.keys(CARDS).sort(), PRESET_NAMES.toSorted());
  for (const { name, provenance } of PRESETS) {
    ok((CARDS[name]?.facts.length ?? 0) > 0, name);
    if (provenance !== 'merged') ok((CARDS[name]?.reconstructed.length ?? 0) > 0, name);
  }
});

test('a variant with one knob turned differs in one row', () => {
  for (const preset of PRESET_NAMES) {
    const knobs = knobsOf(preset);
    for (const knob of KNOB_NAMES)
      for (const value of KNOBS[knob].values) {
        const other = turned(knobs, knob, value);
        if (other) equal(knobsThatDiffer(knobs, other), [knob], preset);
      }
  }
});

test('a preset says only what differs from the one it extends', () => {
  for (const { name, extends: base, changes } of PRESETS) {
    if (base === null) continue;
    equal([...knobsThatDiffer(knobsOf(base), knobsOf(name))].sort(), Object.keys(changes).sort(), name);
  }
  is(PRESETS.filter(preset => preset.extends === null).length, 1);
});

test.run();
