/**
 * The standard library: it checks, and its invariants tell the versions of the protocol apart as history does.
 *
 * One busy little world, all presets; what a preset breaks is a known bug of that kernel, named below.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Source } from '../src/base/source.ts';
import { compile } from '../src/dsl/compile.ts';
import { renderDiagnostic } from '../src/dsl/diagnostic.ts';
import { createSimulation } from '../src/sim/simulation.ts';

const ROOT = join(import.meta.dirname, '..');
const read = (path: string): Source => ({ path, text: readFileSync(join(ROOT, path), 'utf8') });

for (const file of readdirSync(join(ROOT, 'std'))) {
  test(`std/${file} has no diagnostics`, () => {
    const { diagnostics } = compile(read(`std/${file}`), path => read(path));
    assert.equal(
      diagnostics.map(each => renderDiagnostic(each)),
      [],
    );
  });
}

/** Invariants of std/invariants.apf by name, each judged of the same run. */
const ALWAYS = [
  'every_token_is_owed',
  'ready_was_announced',
  'no_unwoken_sleeper',
  'halted_for_a_reason',
  'real_halts_only',
  'no_item_leaks',
  'queued_is_true',
  'queued_is_bounded',
  'gfns_are_true',
  'token_is_there',
  'not_present_is_welcome',
  'no_double_fault',
  'parked_is_owed',
] as const;

const WORLD = `language 1
import "std/liveness.apf"
host h0 {
  cpus 2; ram 4MiB; page 4KiB; workers 4
  swap nvme { size 32MiB; read lognormal(p50: 90us, p99: 2ms); write fixed(60us); depth 8; readahead 8 pages }
}
vm web on h0 {
  ram 6MiB; paging tdp; irqchip kernel; vcpus 2
  guest {
    apf on
    task db[2] on any user { loop { write heap uniform; work 5us } }
    task kern[2] on any kernel { loop { write heap uniform; work 20us } }
    task shell[2] on any user { loop { work 50us } }
    task nap[2] on any user { loop { read heap uniform; sleep 100us } }
    timer tick every 1ms on vcpu[0] { reschedule }
  }
}
limit time 20ms
${ALWAYS.map(name => `always ${name}_holds: ${name}(web)`).join('\n')}
always done_is_attended: p3_done_is_attended(web) unless variant in [v7, linux_2_6_39, linux_4_19]
always on_lists: each v in web.vcpus: each a in v.apf: a in queue and (a in done iff a.completed)
always queue_is_its_own: writers(web.vcpu[0].queue) within [thread(web.vcpu[0])]
`;

function brokenBy(variant: string): readonly string[] {
  const { suite, diagnostics } = compile({ path: 'world.apf', text: WORLD }, path => read(path));
  assert.equal(
    diagnostics.map(each => renderDiagnostic(each)),
    [],
  );
  const [only] = suite?.cases ?? [];
  const [cell] = only?.cells ?? [];
  const program = only && cell ? only.lower(cell, variant).program : null;
  if (!program) throw new Error(`${variant} does not lower`);
  const simulation = createSimulation(program);
  simulation.runUntil(Number.MAX_SAFE_INTEGER);
  return simulation.outcome().violations.map(each => each.property.replace(/_holds$/, ''));
}

interface Expected {
  readonly breaks: readonly string[];
  /** Broken if the race comes up, which the costs of steps decide. */
  readonly may: readonly string[];
}

/** Up to 5.7 work is scheduled before it is on the list (B10), so a quick worker appends to done an item not on queue. */
const B10 = ['on_lists'];

const EXPECTED: Readonly<Record<string, Expected>> = {
  sync: { breaks: [], may: [] },
  // B01: the synthetic halt is in mp_state, where user space reads it.
  v6: { breaks: ['real_halts_only'], may: B10 },
  v6_at_fault: { breaks: ['real_halts_only'], may: B10 },
  v6_request: { breaks: ['real_halts_only'], may: B10 },
  // Moving the item makes the worker write the list that only the vCPU thread was to touch (S15, S17).
  v6_list_move: {
    breaks: ['real_halts_only', 'on_lists', 'queue_is_its_own'],
    may: ['queued_is_true', 'gfns_are_true'],
  },
  // Ready is sent whether or not not-present was; B06: a completion is consumed while the guest is in HLT.
  v7: { breaks: ['ready_was_announced', 'no_unwoken_sleeper'], may: B10 },
  linux_2_6_39: { breaks: ['ready_was_announced', 'no_unwoken_sleeper'], may: B10 },
  linux_4_19: { breaks: ['ready_was_announced'], may: B10 },
  // The first token of vCPU 0 is 0, which also means that the slot is free; non-zero since 5.17.
  linux_5_8: { breaks: ['token_is_there'], may: [] },
  linux_6_1: { breaks: [], may: [] },
  linux_6_12: { breaks: [], may: [] },
};

for (const [variant, { breaks, may }] of Object.entries(EXPECTED)) {
  test(`invariants on ${variant}`, () => {
    const broken = brokenBy(variant);
    assert.equal(
      breaks.filter(name => !broken.includes(name)),
      [],
      'expected to be broken',
    );
    assert.equal(
      broken.filter(name => !breaks.includes(name) && !may.includes(name)),
      [],
      'broken beyond what is known',
    );
  });
}

test('an NMI comes into the handler of another where not-present does', () => {
  const file = 'scenarios/review/x05-nmi-and-iret.apf';
  const text = read(file).text.replace('never nested: cpu.nmi.depth > 1', 'always nested: no_nested_nmi(t)');
  const { suite } = compile({ path: file, text }, path => read(path));
  const [unasked] = suite?.cases ?? [];
  const broken = (variant: string) => {
    const [cell] = unasked?.cells ?? [];
    const program = unasked && cell ? unasked.lower(cell, variant).program : null;
    if (!program) throw new Error(`${variant} does not lower`);
    const simulation = createSimulation(program);
    simulation.runUntil(program.limit_ns);
    return simulation.outcome().judgements.find(({ name }) => name === 'nested')?.actual;
  };
  assert.is(broken('nmi_naive'), 'v = t.vcpu[0]: v.nmi.depth is 2');
  assert.is(broken('nmi_asked'), '');
  assert.is(broken('linux_2_6_39'), '');
});

test.run();
