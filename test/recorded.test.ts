/** The order of events per fault, in real kernels and in the model. docs/recordings.md shows the numbers. */
import { test } from 'uvu';
import { equal, ok } from 'uvu/assert';
import {
  COMPARISONS,
  EVENT_REASONS,
  halves,
  modelOrders,
  programOf,
  reasonFor,
  recordedOrders,
  shippedOrders,
  shippedTrace,
} from '../scripts/comparison.ts';
import { present } from '../src/base/assert.ts';
import { createSimulation } from '../src/sim/simulation.ts';
import { field, is, type TraceEvent } from '../src/trace/event.ts';
import { importTrace } from '../src/trace/import.ts';
import { bytesOf, recordingFiles } from './trace/recordings.ts';

const NORM = 'exit npf page_fault try_async not_present #PF entry completed ready accept_irq inj_virq ACK';

const compared = COMPARISONS.map(comparison => {
  const { recording, case_name, variant } = comparison;
  const model = modelOrders(programOf(comparison));
  return { recording, case_name, variant, recorded: shippedOrders(recording), model };
});
const ofModel = (wanted: string) =>
  present(
    compared.find(({ variant }) => variant === wanted),
    wanted,
  ).model;

for (const { recording, case_name, recorded, model } of compared) {
  test(`${recording}: every order that is not rare in the recording occurs in the model`, () => {
    const total = [...recorded.sentences.values()].reduce((sum, n) => sum + n, 0);
    const frequent = [...recorded.sentences].filter(([, n]) => n >= 0.02 * total).map(([sentence]) => sentence);
    ok(frequent.length >= 3, 'the recording has several');
    equal(
      frequent.filter(sentence => !model.sentences.has(sentence)),
      [],
    );
  });

  test(`${recording}: the commonest order is the same`, () => {
    const [first] = recorded.sentences.keys();
    // How fast the disk is beside a tick decides whether a guest that is not told meets its page once or more often.
    if (recording !== 'mg-nopv-1cpu') equal([...model.sentences.keys()][0], first);
    if (recording.startsWith('mg-n')) return;
    equal(first, case_name === 'shadow tables' ? NORM.replace('npf', 'PF excp') : NORM);
  });

  test(`${recording}: what only one of them shows has a reason`, () => {
    const all = [...recorded.sentences.keys(), ...model.sentences.keys()];
    equal(
      all.filter(sentence => reasonFor(sentence, recorded, model) === null),
      [],
    );
  });

  test(`${recording}: readies are printed in the same kinds of exits`, () => {
    equal(
      [...recorded.readyIn.keys()].filter(where => !model.readyIn.has(where)),
      [],
    );
  });

  test(`${recording}: kinds of events that only one of them has are known, with the reason`, () => {
    const kinds = [...new Set([...recorded.events.keys(), ...model.events.keys()])];
    equal(
      kinds.filter(kind => recorded.events.has(kind) !== model.events.has(kind) && !EVENT_REASONS[kind]),
      [],
    );
  });
}

test('a page may be ready in the very exit that found it missing, before its #PF and after it', () => {
  const { sentences } = ofModel('linux_6_1');
  const firsts = [...sentences.keys()].map(sentence => halves(sentence)[0]);
  const fault = 'exit npf page_fault try_async not_present';
  ok(firsts.includes(`${fault} completed ready accept_irq #PF entry!`), 'before');
  ok(firsts.includes(`${fault} #PF completed ready accept_irq #PF again entry!`), 'after');
  ok(
    [...sentences.keys()].some(sentence => / ready accept_irq completed inj_virq ACK$/.test(sentence)),
    'completed printed after its ready',
  );
});

test('L1 is told only where something else asked for the look at events; the other tokens are lost, and answered', () => {
  const { model, recorded } = present(
    compared.find(({ recording }) => recording === 'mg-nested-pfvmexit'),
    'nested',
  );
  for (const { sentences } of [model, recorded]) {
    const alone = [...sentences.keys()].filter(each => / not_present entry/.test(each));
    ok(alone.length >= 2, 'the next line is the entry');
    ok([...sentences.keys()].some(each => each.includes('L1 told')));
    ok([...sentences.keys()].every(each => each.endsWith(' ACK')));
  }
});

test('6.12 frees an item only after its worker has printed: the guest is never told before the completed line', () => {
  const early = (sentences: ReadonlyMap<string, number>) =>
    [...sentences.keys()].filter(each => / inj_virq .*completed/.test(each));
  equal(early(ofModel('linux_6_12').sentences), []);
  equal(early(shippedOrders('k612-mg-pv-1cpu').sentences), []);
});

test('a switch is printed by whoever is switched away from, as in the recordings', () => {
  // By number: a thread may have a new name by then, which the saved ones of a trace do not know.
  const wrong = (event: TraceEvent): boolean => {
    if (!is(event, 'sched_switch')) return false;
    const isIdle = event.comm === '<idle>' && field(event, 'prev_comm') === `swapper/${event.cpu}`;
    return event.pid !== field(event, 'prev_pid') || (event.pid === 0 && !isIdle);
  };
  const recording = importTrace(shippedTrace('mg-pv-1cpu'));
  for (let row = 0; row < recording.length; row += 1) {
    const event = recording.event(row);
    ok(!event || !wrong(event), `line ${row}`);
  }
  const found: TraceEvent[] = [];
  const program = programOf({ ...present(COMPARISONS[0], 'the first') });
  createSimulation(program, { trace: 'sched', record: event => wrong(event) && found.push(event) }).runUntil(3e8);
  equal(found, []);
});

test('another protocol has other orders: the comparison can fail', () => {
  const recorded = shippedOrders('mg-pv-1cpu').sentences;
  for (const variant of ['linux_4_19', 'sync', 'v7']) {
    const { sentences } = modelOrders(programOf({ ...present(COMPARISONS[0], 'the first'), variant }), 1);
    equal(
      [...sentences.keys()].filter(sentence => recorded.has(sentence)),
      [],
      variant,
    );
  }
});

// Not mg-pv-freeze: there the VMM reads and writes back the events of the vCPU, which turns pending into injected.
test('in all recordings with one vCPU under nested paging, orders are of the same grammar', () => {
  const files = recordingFiles().filter(({ name }) =>
    /^(?:k612-)?mg-pv-(?:1cpu|random|haltpoll|nmi|mmu)\/trace/.test(name),
  );
  for (const file of files) {
    const recorded = recordedOrders(bytesOf(file));
    ok(recorded.sentences.size > 0, file.name);
    const foreign = [...recorded.sentences.keys()].filter(
      each => reasonFor(each, recorded, ofModel('linux_6_1')) === null,
    );
    equal(foreign, [], file.name);
  }
});

test.run();
