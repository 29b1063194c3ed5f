/** Events one after the other, whether a model makes them or a recording holds them: for `apflab diff`. */
import { present } from '../base/assert.ts';
import type { Program } from '../sim/program.ts';
import { createSimulation, type Simulation } from '../sim/simulation.ts';
import type { TraceEvent } from '../trace/event.ts';
import { LINE, type Recording } from '../trace/recording.ts';

/** An event, or the line of one that nobody declared. */
export interface Seen {
  readonly event: TraceEvent | null;
  readonly line: string;
}

export interface Events {
  /** Null at the end. */
  next(): Seen | null;
}

const SLICE_STEPS = 1024;

export function eventsOfRun(program: Program): Events {
  let queue: TraceEvent[] = [];
  let at = 0;
  const simulation: Simulation = createSimulation(program, { record: event => queue.push(event) });
  return {
    next() {
      while (at === queue.length && simulation.over === null) {
        queue = [];
        at = 0;
        simulation.runUntil(program.limit_ns, SLICE_STEPS);
      }
      const event = queue[at];
      at += 1;
      return event ? { event, line: '' } : null;
    },
  };
}

export function eventsOfRecording(recording: Recording): Events {
  let row = 0;
  return {
    next() {
      while (row < recording.length && recording.kind(row) < LINE.undeclared) row += 1;
      if (row >= recording.length) return null;
      const event = recording.event(row);
      const seen = event ? { event, line: '' } : { event, line: recording.line(row) };
      row += 1;
      return seen;
    },
  };
}

/** The same thread doing the same, whenever; what a text does not tell may be anything. */
export function isSameEvent(a: Seen, b: Seen): boolean {
  if (!a.event || !b.event) return a.line === b.line && a.event === b.event;
  const [one, other] = [a.event, b.event];
  return (
    one.name === other.name &&
    one.comm === other.comm &&
    one.pid === other.pid &&
    one.args.every((value, index) => {
      const known = other.args[index];
      return value === undefined || known === undefined || String(value) === String(known);
    })
  );
}

/** Two sides up to the first event in which they differ. */
export function firstDifference(
  a: Events,
  b: Events,
): { readonly same: number; readonly a: Seen | null; readonly b: Seen | null } {
  for (let same = 0; ; same += 1) {
    const [one, other] = [a.next(), b.next()];
    if (!one || !other || !isSameEvent(one, other)) return { same, a: one, b: other };
  }
}

/** Reads all that is left. */
export function each(events: Events, take: (event: TraceEvent) => void): void {
  for (let seen = events.next(); seen !== null; seen = events.next())
    if (seen.event) take(present(seen.event, 'events: it is one'));
}
