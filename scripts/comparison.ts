/** The recordings of one vCPU beside the model's runs that stand for them, sentence by sentence. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { assert, present } from '../src/base/assert.ts';
import type { Source } from '../src/base/source.ts';
import { compile } from '../src/dsl/compile.ts';
import type { Program } from '../src/sim/program.ts';
import { createSimulation } from '../src/sim/simulation.ts';
import { importTrace } from '../src/trace/import.ts';
import { ROOT, read } from './imports.ts';
import { OrderReader, type Orders } from './orders.ts';

const ONE_CPU = 'scenarios/recorded-mg-1cpu.apf';
const NESTED = 'scenarios/nested-recorded.apf';
/** One run has few of the rare orders; so many are counted together. */
export const SEEDS = 8;

export interface Comparison {
  /** Folder of the recording in test/data/recordings. */
  readonly recording: string;
  /** What stands for it. */
  readonly file: string;
  readonly case_name: string;
  readonly variant: string;
}

export const COMPARISONS: readonly Comparison[] = [
  { recording: 'mg-pv-1cpu', file: ONE_CPU, case_name: 'paravirtual', variant: 'linux_6_1' },
  { recording: 'k612-mg-pv-1cpu', file: ONE_CPU, case_name: 'paravirtual', variant: 'linux_6_12' },
  { recording: 'mg-nopv-1cpu', file: ONE_CPU, case_name: 'the guest is not told', variant: 'linux_6_1' },
  { recording: 'mg-pv-shadow', file: ONE_CPU, case_name: 'shadow tables', variant: 'linux_6_1' },
  { recording: 'mg-pv-nmi', file: ONE_CPU, case_name: 'paravirtual, with NMIs', variant: 'linux_6_1' },
  {
    recording: 'mg-nested-pfvmexit',
    file: NESTED,
    case_name: 'told by a #PF exit, now and then',
    variant: 'linux_6_1',
  },
  { recording: 'mg-nested-nopv', file: NESTED, case_name: 'the guest is not told', variant: 'linux_6_1' },
];

export function recordedOrders(bytes: Uint8Array): Orders {
  const recording = importTrace(bytes);
  const reader = new OrderReader();
  for (let row = 0; row < recording.length; row += 1) {
    const event = recording.event(row);
    if (event) reader.read(event);
    else {
      const name = recording.eventName(row);
      if (name !== null) reader.pass(name);
    }
  }
  return reader.finish();
}

export function shippedTrace(name: string): Uint8Array {
  return gunzipSync(readFileSync(join(ROOT, 'test/data/recordings', name, 'trace.txt.gz')));
}

export function shippedOrders(name: string): Orders {
  return recordedOrders(shippedTrace(name));
}

function load(path: string): Source {
  return { path, text: read(path) };
}

export function programOf({ file, case_name, variant }: Omit<Comparison, 'recording'>): Program {
  const { suite } = compile(load(file), load);
  const chosen = present(
    suite?.cases.find(each => each.name === case_name),
    `recordings: a case called ${case_name}`,
  );
  const { program } = chosen.lower(present(chosen.cells[0], 'recordings: its only cell'), variant);
  assert(program !== null, 'recordings: the case can be run');
  return { ...program, judgements: [], expectations: [], report: [] };
}

/** Runs of different seeds, counted together: no sentence goes on from one to the next, as each is a reader of its own. */
export function modelOrders(program: Program, seeds = SEEDS): Orders {
  const runs = Array.from({ length: seeds }, (_, index) => {
    const reader = new OrderReader();
    const simulation = createSimulation(
      { ...program, seed: index + 1 },
      { record: event => reader.read(event), trace: 'sched' },
    );
    simulation.runUntil(program.limit_ns);
    return reader.finish();
  });
  const together = (pick: (orders: Orders) => ReadonlyMap<string, number>): ReadonlyMap<string, number> => {
    const sum = new Map<string, number>();
    for (const run of runs) for (const [key, n] of pick(run)) sum.set(key, (sum.get(key) ?? 0) + n);
    return new Map([...sum].sort(([a, n], [b, k]) => k - n || (a < b ? -1 : 1)));
  };
  const total = (pick: (orders: Orders) => number): number => runs.reduce((sum, run) => sum + pick(run), 0);
  return {
    sentences: together(run => run.sentences),
    readyIn: together(run => run.readyIn),
    events: together(run => run.events),
    open: total(run => run.open),
    broadcasts: total(run => run.broadcasts),
  };
}

/** The exit of the fault, and what follows the entry: what decides the one has no part in the other. */
export function halves(sentence: string): readonly [string, string] {
  const match = /^(.*? entry!?)(?: (.*))?$/.exec(sentence);
  return [match?.[1] ?? sentence, match?.[2] ?? ''];
}

/** The same order, whichever kind of tables the fault was of: what comes after the exit does not depend on that. */
const ofAnyMap = (sentence: string): string => sentence.replace('exit PF excp', 'exit npf');

/** All orders that the shipped recordings of one vCPU show: a short one has not every rare order. */
const SHIPPED = new Set(
  COMPARISONS.flatMap(({ recording }) => [...shippedOrders(recording).sentences.keys()].map(ofAnyMap)),
);

/** Why an order that only one of the two shows is no disagreement; empty where both do, null where it is one. */
export function reasonFor(sentence: string, recorded: Orders, model: Orders): string | null {
  const inRecording = recorded.sentences.has(sentence);
  const inModel = model.sentences.has(sentence);
  if (inRecording && inModel) return '';
  if (inModel && SHIPPED.has(ofAnyMap(sentence))) return 'rare: another recording shows it';
  const [first, second] = halves(ofAnyMap(sentence));
  const others = [...(inModel ? SHIPPED : [...model.sentences.keys()].map(ofAnyMap))].map(halves);
  const firstOccurs = others.some(([each]) => each === first);
  if (firstOccurs && others.some(([, each]) => each === second)) return 'both halves occur, but not this pair of them';
  if (first.endsWith(' ready entry') || (firstOccurs && /(?:inj_virq|ACK|ready).* completed(?: ACK)?$/.test(second)))
    return 'the worker prints late; how late is a matter of speed';
  if (firstOccurs && second.includes('repeated*')) return 'an interrupt came once more while the vCPU was halted';
  // Whatever comes up between injection and entry calls the entry off: a timer, a kick, another thread.
  const entered = (half: string): string => half.replaceAll(' #PF again', '');
  if (others.some(([each]) => entered(each) === entered(first)))
    return 'rare: an entry was called off once more, or once less';
  return reasonInExit(ofAnyMap(sentence), inModel ? [...SHIPPED] : [...model.sentences.keys()].map(ofAnyMap));
}

/** Of what comes between not_present and the entry: the worker is another thread, and L1 is told of L2 by a look at events. */
function reasonInExit(sentence: string, others: readonly string[]): string | null {
  const unprinted = (each: string): string => each.replace(' completed', '');
  if (others.some(each => unprinted(each) === unprinted(sentence)))
    return 'the worker prints late; how late is a matter of speed';
  const words = (each: string): string => each.split(' ').sort().join(' ');
  if (others.some(each => words(each) === words(sentence)))
    return 'rare: the page came after L2 had stopped, and the entry was called off';
  const told = sentence.replace('L1 interrupt', 'L1 told');
  if (others.some(each => words(each) === words(told)))
    return 'rare: an entry that was called off dropped what was queued for L1 (B35), and L2 stopped for the interrupt';
  return null;
}

/** Events that one side has and the other has not, and why. */
export const EVENT_REASONS: Readonly<Record<string, string>> = {
  kvm_emulate_insn:
    'the recorded CPU has no nrip_save, so KVM decodes each intercepted instruction; the model needs no instruction bytes',
  kvm_fpu: 'FPU state is not modelled',
  kvm_halt_poll_ns: 'the scenario does not poll: a halted vCPU blocks at once (scenarios/halt-polling.apf)',
  kvm_hv_timer_state: 'the VMX timer is not modelled; SVM has none',
  kvm_pio: 'the VMM that ran the small guest ends it with an OUT; the model stops at its time limit',
  kvm_userspace_exit: 'the same OUT, seen by user space',
  kvm_track_tsc: 'clocks of the guest are not modelled',
  kvm_update_master_clock: 'clocks of the guest are not modelled',
  kvm_write_tsc_offset: 'clocks of the guest are not modelled',
  kvm_async_pf_repeated_fault: 'walkers of the model may meet on a page',
  kvm_vcpu_wakeup: 'only a vCPU that executed HLT prints it',
  kvm_mmu_spte_requested: 'the recording left it switched off',
  kvm_unmap_hva_range: 'the recording left it switched off',
  sched_waking: 'the recording left it switched off',
};
