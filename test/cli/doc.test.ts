/** `apflab doc`: whatever has a name is explained, from its declaration. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GLOSSARY } from '../../src/cli/glossary.ts';
import { entries, plain } from '../../src/cli/lookup.ts';
import modelled from '../../src/cli/modelled.json' with { type: 'json' };
import { CODES } from '../../src/dsl/diagnostic.ts';
import { STATEMENTS } from '../../src/dsl/statements/all.ts';
import { EVENTS } from '../../src/dsl/vocabulary.ts';
import { STEP_NAMES } from '../../src/sim/at.ts';
import { KNOB_NAMES, KNOBS } from '../../src/sim/protocol/knobs.ts';
import { PRESET_NAMES } from '../../src/sim/protocol/presets.ts';
import { tracepoints } from '../../src/trace/all.ts';
import { inWorld, type World } from './world.ts';

function scene(name: string, body: (world: World) => Promise<void>): void {
  test(name, () => inWorld({}, body));
}

async function explained({ apflab }: World, name: string): Promise<string> {
  const { code, out, err } = await apflab(['doc', name]);
  assert.equal([name, code, err], [name, 0, '']);
  return out;
}

scene('a term, and what goes by its name besides', async world => {
  const out = await explained(world, 'mp_state');
  assert.match(out, 'mp_state  term\n');
  assert.match(out, 'vcpu.mp_state  attribute\n');
  const halt = await explained(world, 'Synthetic-Halt');
  assert.match(halt, 'synthetic halt  term\n');
  assert.is((await world.apflab(['doc', 'synthetic', 'halt'])).out, halt);
});

scene('a knob with its values and who has which', async world => {
  const out = await explained(world, 'completion_mp_state');
  assert.match(out, 'completion_mp_state  knob');
  assert.match(out, /^ {4}untouched [^:]*linux_2_6_39/m);
  assert.match(out, /^ {4}runnable [^:]*linux_4_19/m);
});

scene('a function by our name and by the kernel’s: where it is, what it models, how it differs', async world => {
  const out = await explained(world, 'kvm_arch_vcpu_runnable');
  assert.match(out, 'In src/sim/kvm/block.ts, models kvm_arch_vcpu_runnable() and');
  assert.match(out, 'Differs: ');
  assert.is(await explained(world, 'kvm_arch_vcpu_runnable()'), out);
});

scene('everything that is declared is known', async world => {
  const names = [
    ...GLOSSARY.flatMap(({ term, also = [], see = [] }) => [term, ...also, ...see]),
    ...KNOB_NAMES,
    ...PRESET_NAMES,
    ...STEP_NAMES,
    ...STATEMENTS.map(({ id }) => id),
    ...Object.keys(EVENTS),
    ...Object.keys(CODES),
    ...tracepoints.map(({ name }) => name),
  ];
  const known = new Set(entries(modelled).flatMap(each => each.names.map(plain)));
  assert.equal(
    names.filter(name => !known.has(plain(name))),
    [],
  );
  for (const value of KNOBS.halt.values) assert.match(await explained(world, 'halt'), value);
});

scene('what is not known is refused, with a suggestion', async ({ apflab }) => {
  assert.equal(await apflab(['doc', 'gfm']), {
    code: 4,
    out: '',
    err: "apflab: nothing is known about 'gfm'\nhelp: did you mean 'gfn'?\n",
  });
});

scene('the differences from the kernel, and the list of what there is', async world => {
  const model = await explained(world, 'model');
  assert.match(model, 'src/sim/kvm/async_pf.ts\n');
  assert.match(model, 'kvm_async_pf_hash_fn: ');
  const { out } = await world.apflab(['doc']);
  for (const { term } of GLOSSARY) assert.match(out.replace(/\s+/g, ' '), term);
});

test.run();
