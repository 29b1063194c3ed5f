/**
 * What would make a run by time go the way of a schedule: threads that are held at a step until something has happened.
 *
 * These are candidates, in the words of the language. Which of them it takes, and whether any do, only runs can tell.
 */
import { AT, type At, STEP_NAMES } from '../sim/at.ts';
import { entityText } from '../sim/judge/text.ts';
import type { Machine } from '../sim/machine.ts';
import { OBSERVATION_NAMES, OBSERVATIONS } from '../sim/observe.ts';
import type { Place, Program } from '../sim/program.ts';
import { moverOf } from '../sim/scheduled.ts';
import { THREAD_KIND } from '../sim/schema.ts';
import { createSimulation } from '../sim/simulation.ts';

/** Events in a gap that are worth a try as its end: the last of these. */
const ENDS_TRIED = 3;
/** Longer than anything else takes. */
const LONG = '1ms';

/** Kinds of arguments whose names mean the same in a scenario. */
const NAMED: ReadonlySet<string> = new Set(['page', 'vcpu', 'task', 'vm']);
/** Happen too often to hold anything by. */
const USUAL: ReadonlySet<string> = new Set(['wakeup', 'progresses', 'accesses', 'entry', 'exit']);

interface Seen {
  readonly step: number;
  /** The thread, or -1. */
  readonly mover: number;
  readonly text: string;
}

/** A thread does not go on although it could. */
interface Gap {
  readonly thread: number;
  readonly at: At;
  /** Moves between which it stands still; null for the end of the run. */
  readonly from: number;
  readonly to: number | null;
}

/** An act of the scenario, and what has happened last before it. */
export interface Placed {
  readonly place: Place;
  readonly after: string;
}

export interface Holds {
  /** Statements of the language, each once. */
  readonly holds: readonly string[];
  readonly acts: readonly Placed[];
}

/** `program`: with a schedule. */
export function holdsOf(program: Program): Holds {
  const simulation = createSimulation(program);
  const m = simulation.machine;
  const seen: Seen[] = [];
  const report = m.observe;
  let step = 0;
  m.observe = (observation, vm, a, b) => {
    report?.(observation, vm, a, b);
    const text = eventText(m, observation, a, b);
    const { thread } = moverOf(m, program.schedule?.moves[step - 1] ?? 0);
    if (text !== null) seen.push({ step, mover: thread, text });
  };
  const gaps = gapsOf(m, program, () => {
    step += 1;
    return simulation.step();
  });
  const holds = gaps.flatMap(gap => holdsIn(m, gap, seen));
  const reads = seen.flatMap(({ text }) => (text.startsWith('swap_submit(') ? [text.replace('submit', 'read')] : []));
  return {
    holds: [...new Set([...holds, ...reads.map(read => `hold ${read} for ${LONG}`)])],
    acts: actsIn(m, program, seen),
  };
}

/** Those that an exploration may have at any moment, in the order of the schedule. */
function actsIn(m: Machine, { actions, schedule }: Program, seen: readonly Seen[]): readonly Placed[] {
  return (schedule?.moves ?? []).flatMap((move, index) => {
    const { source } = moverOf(m, move);
    const action = actions[source - m.places.source.action];
    const before = seen.findLast(({ step }) => step <= index);
    return action?.trigger.kind === 'at' && before ? [{ place: action.place, after: before.text }] : [];
  });
}

function gapsOf(m: Machine, { schedule }: Program, move: () => boolean): readonly Gap[] {
  const gaps: Gap[] = [];
  const moves = schedule?.moves ?? [];
  /** Since when each thread could go on and has not, and at which step. */
  const since = new Map<number, { readonly from: number; readonly at: At }>();
  moves.forEach((next, index) => {
    const { thread } = moverOf(m, next);
    const waited = since.get(thread);
    if (waited && waited.from < index) gaps.push({ thread, ...waited, to: index });
    since.delete(thread);
    move();
    for (const { id, at, on_rq, kind } of m.threads) {
      const holdable = kind === THREAD_KIND.vcpu || kind === THREAD_KIND.kworker;
      if (!holdable || at === AT.off || !on_rq) since.delete(id);
      else if (!since.has(id)) since.set(id, { from: index + 1, at });
    }
  });
  for (const [thread, waited] of since) gaps.push({ thread, ...waited, to: null });
  return gaps;
}

function holdsIn(m: Machine, { thread, at, from, to }: Gap, seen: readonly Seen[]): readonly string[] {
  const actor = actorText(m, thread);
  if (actor === null) return [];
  const before = seen.findLast(each => each.mover === thread && each.step <= from)?.text;
  const inside = seen.filter(each => each.mover !== thread && each.step > from && (to === null || each.step <= to));
  const ends = [...new Set(inside.map(({ text }) => text))].slice(-ENDS_TRIED).reverse();
  const vm = m.program.vms[0]?.name ?? '';
  const untils = to === null ? [...ends, `destroyed(${vm})`] : ends;
  const hold = `hold ${actor} at ${STEP_NAMES[at] ?? ''}`;
  return untils.flatMap(until => [
    ...(before === undefined ? [] : [`${hold} after ${before} until ${until}`]),
    `${hold} until ${until}`,
  ]);
}

function actorText(m: Machine, thread: number): string | null {
  const { vcpu, host } = m.places.threads[thread]!;
  if (vcpu >= 0) return entityText(m, 'vcpu', vcpu);
  const worker = m.places.hosts[host]!.workers.indexOf(thread);
  const { name, workers } = m.program.hosts[host]!;
  return worker >= 0 && worker < workers ? `${name}.worker[${worker}]` : null;
}

function eventText(m: Machine, observation: number, a: number, b: number): string | null {
  const name = OBSERVATION_NAMES[observation]!;
  const { args } = OBSERVATIONS[name];
  if (USUAL.has(name) || !args.every(kind => NAMED.has(kind))) return null;
  const texts = args.map((kind, index) => (kind === 'mark' ? '' : entityText(m, kind, index === 0 ? a : b)));
  return `${name}(${texts.join(', ')})`;
}
