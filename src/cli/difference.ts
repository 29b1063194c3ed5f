/** How two sides differ, as data: what `apflab diff` prints in words or as JSON. */
import { compareEpisodes, EpisodeReader, type EpisodesCompared } from '../report/episodes.ts';
import { type Comparison, compareRuns, type KnobPart, knobsOfParting } from '../sim/compare/parting.ts';
import { type FieldDifference, stateAt } from '../sim/compare/state.ts';
import { type Events, each, eventsOfRecording, eventsOfRun, firstDifference, type Seen } from './events.ts';
import type { NamedRun, Pair, Side } from './sides.ts';

export type Difference =
  | ({
      readonly kind: 'runs';
      readonly state: readonly FieldDifference[];
      readonly knobs: readonly KnobPart[];
    } & Comparison)
  | {
      readonly kind: 'events';
      readonly same: number;
      /** The first event that differs; both null where none does. */
      readonly a: Seen | null;
      readonly b: Seen | null;
      /** Null where all events are the same. */
      readonly episodes: EpisodesCompared | null;
    };

/** `from_ns`: what two runs did before does not count. */
export function differenceOf({ a, b }: Pair, from_ns: number): Difference {
  if (a.kind === 'run' && b.kind === 'run') return differenceOfRuns(a.run, b.run, from_ns);
  const found = firstDifference(eventsOf(a), eventsOf(b));
  if (!found.a && !found.b) return { kind: 'events', ...found, episodes: null };
  return { kind: 'events', ...found, episodes: compareEpisodes(episodesOf(a), episodesOf(b)) };
}

function episodesOf(side: Side): EpisodeReader {
  const reader = new EpisodeReader();
  each(eventsOf(side), event => reader.read(event));
  return reader;
}

function eventsOf(side: Side): Events {
  return side.kind === 'run' ? eventsOfRun(side.run.program) : eventsOfRecording(side.recording);
}

function differenceOfRuns({ program: a }: NamedRun, { program: b }: NamedRun, from_ns: number): Difference {
  const compared = compareRuns(a, b, from_ns);
  const { parting } = compared;
  if (!parting) return { kind: 'runs', ...compared, state: [], knobs: [] };
  const [mine, others] = [parting.a[0], parting.b[0]];
  // A run that is over has no state at a later time.
  const state = mine && others ? stateAt(a, b, from_ns, Math.min(mine.time_ns, others.time_ns)) : [];
  return { kind: 'runs', ...compared, state, knobs: knobsOfParting(a, b, from_ns, parting) };
}

export function differs(difference: Difference): boolean {
  return difference.kind === 'runs'
    ? difference.parting !== null || difference.shifted !== null
    : difference.a !== null || difference.b !== null;
}
