/**
 * Why something is as it is: of a vCPU its runnable predicate, of a task, a page or a token the faults that led here.
 *
 * A state does not say how it came about, so a run is followed from its start to the moment that was asked about.
 */
import { durationText } from '../../base/duration.ts';
import { STEP_NAMES } from '../at.ts';
import { kvm_arch_vcpu_runnable } from '../kvm/block.ts';
import { EXCEPTION } from '../kvm/event_state.ts';
import { knobs_of, type Machine } from '../machine.ts';
import type { Program } from '../program.ts';
import { GUEST_TASK, NODE, type Vcpu } from '../schema.ts';
import { createSimulation, type Simulation } from '../simulation.ts';
import { isAsleep, threadOfVcpu, whereIsVcpu, whyNotRunning } from '../why.ts';
import { type Actor, actorText, Watcher } from './actor.ts';
import { type Fault, FaultLog, itemOf, standing } from './faults.ts';
import { couldFlip } from './flip.ts';
import { nameOf } from './name.ts';
import { type TermHistory, TermLog } from './terms.ts';

/** What is asked about, by its row; a token by its value, of the VM given. */
export type Subject =
  | { readonly kind: 'vcpu' | 'task' | 'page'; readonly row: number; readonly name: string }
  | { readonly kind: 'token'; readonly vm: number; readonly token: number; readonly name: string };

/** Up to when: whichever of a virtual time and a number of steps comes first. */
export interface Moment {
  readonly ns: number;
  readonly step: number;
}

export interface Term {
  readonly text: string;
  readonly value: boolean;
  /** False where this version's predicate does not have it. */
  readonly counts: boolean;
  readonly changed: Actor | null;
  /** Where it does not hold any more: when it came to hold. */
  readonly held: Actor | null;
  readonly could_flip: readonly string[];
}

export interface ExplainedFault extends Pick<Fault, 'token' | 'ended' | 'links'> {
  /** As a scenario names them; null for no task. */
  readonly vcpu: string;
  readonly page: string;
  readonly task: string | null;
  /** What an unfinished one waits for. */
  readonly standing: readonly string[];
}

export interface Explanation {
  readonly subject: Subject;
  readonly at_ns: number;
  readonly step: number;
  /** How it stands, in one sentence without its end. */
  readonly says: string;
  /** The runnable predicate; empty for what is no vCPU. */
  readonly terms: readonly Term[];
  /** A wake-up that is missing: who should have, and why nobody does. Empty where nothing is lost. */
  readonly missing: readonly string[];
  /** The latest fault of what was asked about, and all of its that are not over. */
  readonly faults: readonly ExplainedFault[];
  /** Faults before those. */
  readonly earlier: number;
}

/** Follows a run as far as it gets, and explains. */
export function explain(program: Program, subject: Subject, moment: Moment): Explanation {
  const simulation = createSimulation(program);
  const m = simulation.machine;
  const watcher = new Watcher(m);
  const faults = new FaultLog(m, watcher, fault => concerns(fault, subject));
  const terms = m.vcpus.map(vcpu => new TermLog(m, vcpu, watcher));
  const report = m.observe;
  m.observe = (observation, vm, a, b) => {
    report?.(observation, vm, a, b);
    faults.observed(observation, vm, a);
  };
  follow(simulation, watcher, moment, () => {
    faults.stepped();
    for (const log of terms) log.stepped();
  });
  const at_ns = Math.min(moment.ns, program.limit_ns);
  return {
    ...explained(m, subject, faults.faults, vcpu => termsOf(m, vcpu, terms[vcpu.id]?.history)),
    at_ns,
    step: m.clock.step,
  };
}

function follow(simulation: Simulation, watcher: Watcher, moment: Moment, stepped: () => void): void {
  const { clock } = simulation.machine;
  while (simulation.over === null && clock.step < moment.step) {
    const { step } = clock;
    watcher.before();
    simulation.runUntil(moment.ns, 1);
    if (clock.step === step) return;
    stepped();
  }
}

function concerns(fault: Fault, subject: Subject): boolean {
  switch (subject.kind) {
    case 'token':
      return fault.vm === subject.vm && fault.token === subject.token;
    default:
      return fault[subject.kind] === subject.row;
  }
}

function explained(
  m: Machine,
  subject: Subject,
  faults: readonly Fault[],
  termsNow: (vcpu: Vcpu) => readonly Term[],
): Omit<Explanation, 'at_ns' | 'step'> {
  const shown = faults.filter((fault, index) => !fault.ended || index === faults.length - 1);
  const told = {
    subject,
    faults: shown.map(fault => toldFault(m, fault)),
    earlier: faults.length - shown.length,
  };
  const vcpu = subject.kind === 'vcpu' ? m.vcpus[subject.row] : undefined;
  if (vcpu) {
    const terms = termsNow(vcpu);
    return { ...told, terms, says: whereIsVcpu(m, vcpu), missing: missingWake(m, vcpu, terms) };
  }
  const open = shown.findLast(fault => !fault.ended);
  return {
    ...told,
    terms: [],
    says: saysOf(m, subject, shown),
    missing: open ? lostCompletion(m, open, termsNow) : [],
  };
}

function toldFault(m: Machine, fault: Fault): ExplainedFault {
  const { token, ended, links } = fault;
  return {
    vcpu: nameOf(m, 'vcpu', fault.vcpu),
    page: nameOf(m, 'page', fault.page),
    task: fault.task < 0 ? null : nameOf(m, 'task', fault.task),
    token,
    ended,
    links,
    standing: ended ? [] : standing(m, fault),
  };
}

/** The predicate alone, as far as a state can tell. */
export function termsOf(m: Machine, vcpu: Vcpu, history: readonly TermHistory[] = []): readonly Term[] {
  const flips = couldFlip(m, vcpu);
  return whyNotRunning(m, vcpu).map((term, index) => ({
    ...term,
    changed: history[index]?.changed ?? null,
    held: history[index]?.held ?? null,
    could_flip: flips[index] ?? [],
  }));
}

/** Of a sleeping vCPU: why nobody will wake it, if that is so. */
export function missingWake(m: Machine, vcpu: Vcpu, terms: readonly Term[]): readonly string[] {
  if (!isAsleep(threadOfVcpu(m, vcpu))) return [];
  if (kvm_arch_vcpu_runnable(m, vcpu)) return [unwoken(m, vcpu, terms)];
  const left = terms.some(term => term.counts && term.could_flip.length > 0);
  // An exception that waits for a sleeper is lost on it, whatever else may wake it one day.
  if (!isOwed(m, vcpu) || (left && vcpu.exception !== EXCEPTION.pending)) return [];
  const ignored = terms.filter(term => term.value && !term.counts);
  const { completion_mp_state } = knobs_of(m, vcpu);
  const done = terms.find(({ text }) => text === 'async_pf.done is not empty');
  const eaten = done?.counts && !done.value && done.held && completion_mp_state === 'untouched' ? done.changed : null;
  return [
    left ? 'only something else could wake it' : 'nobody is left who could wake it',
    ...ignored.map(
      ({ text, changed }) =>
        `${text}${changed ? `, by ${actorText(changed)}` : ''}, and this version's predicate does not look at that`,
    ),
    ...(eaten
      ? [`${actorText(eaten)} took the completion and left mp_state as it was (completion_mp_state untouched)`]
      : []),
  ];
}

/** Whether something is to come for this vCPU: else it sleeps since its guest has nothing to do, and may. */
function isOwed(m: Machine, vcpu: Vcpu): boolean {
  return (
    vcpu.apf_done.length + vcpu.apf_queue.length > 0 ||
    vcpu.exception !== EXCEPTION.none ||
    (m.places.tasksOf[vcpu.id] ?? []).some(task => m.tasks[task]!.vcpu === vcpu.id && m.tasks[task]!.resuming === 1) ||
    m.nodes.some(node => node.vcpu === vcpu.id + 1 && node.state !== NODE.free && node.state !== NODE.dummy)
  );
}

/** It could run and sleeps: the wake comes yet, or whoever made it able to run has not woken it. */
function unwoken(m: Machine, vcpu: Vcpu, terms: readonly Term[]): string {
  const coming = m.threads.find(
    thread => thread.vcpu === vcpu.id + 1 && STEP_NAMES[thread.at]?.startsWith('async_pf_execute.'),
  );
  if (coming) return `the wake is still to come: ${m.places.threads[coming.id]!.comm} is at ${STEP_NAMES[coming.at]}`;
  const [latest] = terms
    .flatMap(({ value, counts, changed, text }) => (value && counts && changed ? [{ changed, text }] : []))
    .sort((a, b) => b.changed.step - a.changed.step);
  if (!latest) return 'it could run, and nobody has woken it';
  const { changed, text } = latest;
  return `'${text}' since ${actorText(changed)}, which woke nobody: no kvm_vcpu_wake_up() has come after it`;
}

const TASK_NAMES = Object.keys(GUEST_TASK).map(name => name.toLowerCase());

function saysOf(m: Machine, subject: Subject, faults: readonly Fault[]): string {
  const latest = faults.at(-1);
  const over = latest?.ended ? 'its latest fault is over' : 'it has not been faulted on';
  switch (subject.kind) {
    case 'task': {
      const task = m.tasks[subject.row]!;
      const vcpu = m.vcpus[m.tasks[subject.row]!.vcpu]!;
      const token = task.state === GUEST_TASK.PARKED ? ` on token 0x${task.token.toString(16)}` : '';
      const spins = task.spinning ? ', spinning for a lock' : '';
      const gone = vcpu.guest_offline ? ', which the guest has taken out of use' : '';
      const current = vcpu.current === subject.row + 1 ? 'current on' : 'on';
      const { vcpu_id } = m.places.vcpus[vcpu.id]!;
      return `${TASK_NAMES[task.state]}${token}${spins}, ${current} vCPU ${vcpu_id}${gone}, whose thread ${whereIsVcpu(m, vcpu)}`;
    }
    case 'page':
      return latest && !latest.ended ? 'the fault on it is not over' : over;
    case 'token':
      if (!latest) return 'no fault has had this token so far';
      return latest.ended ? 'the fault is over' : 'the fault is not over';
    default:
      return '';
  }
}

/** A fault whose item is gone while its task still waits: the guest was not told, or was told and forgot. */
function lostCompletion(m: Machine, fault: Fault, termsNow: (vcpu: Vcpu) => readonly Term[]): readonly string[] {
  if (fault.token === null) return [];
  const vcpu = m.vcpus[fault.vcpu]!;
  const thread = missingWake(m, vcpu, termsNow(vcpu));
  const owed = m.nodes.some(
    node => node.state !== NODE.free && node.state !== NODE.dummy && node.token === fault.token,
  );
  if (!owed || itemOf(m, fault) || vcpu.area_token === fault.token) return thread;
  const ready = fault.links.findLast(link => link.name === 'ready');
  const reported = ready ? `it was reported ready at ${durationText(ready.time_ns)}` : 'it was never reported ready';
  return [
    `token 0x${fault.token.toString(16)} is owed: its item is gone, ${reported}, and its task was not woken`,
    ...thread,
  ];
}
