/**
 * The exits in which a vCPU has to do with asynchronous page faults, as sequences of event names.
 *
 * Two kernels, or a kernel and the model, never have the same guest, addresses or times: what can be compared is in which
 * order things come between an exit and the next entry.
 */
import type { TraceEvent } from '../trace/event.ts';

export interface Episode {
  readonly time_ns: number;
  /** Names of events without `kvm_`, from the exit to the entry. */
  readonly words: readonly string[];
}

/** By thread, in the order of their first entry. */
export type Episodes = readonly { readonly vcpu: string; readonly episodes: readonly Episode[] }[];

export interface EpisodeDifference {
  readonly vcpu: string;
  /** How many exits of this vCPU were alike before. */
  readonly same: number;
  readonly a: Episode | null;
  readonly b: Episode | null;
  /** How often either order comes on either side, on any vCPU. */
  readonly times: {
    readonly a_in_a: number;
    readonly a_in_b: number;
    readonly b_in_a: number;
    readonly b_in_b: number;
  };
}

export interface EpisodesCompared {
  readonly counts: readonly [a: number, b: number];
  /** Events that only one side has at all, which therefore do not count. */
  readonly only_a: readonly string[];
  readonly only_b: readonly string[];
  /** The first exit that differs, of each vCPU. */
  readonly differences: readonly EpisodeDifference[];
}

const APF = /^(?:async_pf_|try_async_get_page$)/;

interface Thread {
  readonly vcpu: string;
  readonly episodes: Episode[];
  since_ns: number;
  /** Since the exit; null while the guest runs. */
  words: string[] | null;
}

export class EpisodeReader {
  readonly #threads = new Map<string, Thread>();
  readonly #names = new Set<string>();

  /** The next event, in the order of the trace. */
  read(event: TraceEvent): void {
    const name = event.name.replace(/^kvm_/, '');
    this.#names.add(name);
    const key = `${event.host} ${event.pid}`;
    if (name === 'exit') {
      const thread = this.#threads.get(key) ?? { vcpu: event.comm, episodes: [], since_ns: 0, words: null };
      this.#threads.set(key, thread);
      thread.since_ns = event.time_ns;
      thread.words = [];
    }
    const thread = this.#threads.get(key);
    thread?.words?.push(name);
    if (name !== 'entry' || !thread?.words) return;
    if (thread.words.some(word => APF.test(word)))
      thread.episodes.push({ time_ns: thread.since_ns, words: thread.words });
    thread.words = null;
  }

  get names(): ReadonlySet<string> {
    return this.#names;
  }

  get episodes(): Episodes {
    return [...this.#threads.values()];
  }
}

export function compareEpisodes(a: EpisodeReader, b: EpisodeReader): EpisodesCompared {
  const only_a = [...a.names].filter(name => !b.names.has(name)).sort();
  const only_b = [...b.names].filter(name => !a.names.has(name)).sort();
  const common = (episodes: Episodes): Episodes =>
    episodes.map(({ vcpu, episodes: own }) => ({
      vcpu,
      episodes: own.map(each => ({
        ...each,
        words: each.words.filter(word => a.names.has(word) && b.names.has(word)),
      })),
    }));
  const [left, right] = [common(a.episodes), common(b.episodes)];
  const [of_a, of_b] = [tally(left), tally(right)];
  const times = (of: ReadonlyMap<string, number>, episode: Episode | null): number =>
    episode ? (of.get(sentence(episode)) ?? 0) : 0;
  const differences = Array.from({ length: Math.max(left.length, right.length) }, (_, index) => {
    const [mine, others] = [left[index]?.episodes ?? [], right[index]?.episodes ?? []];
    const same = mine.findIndex((each, nr) => sentence(each) !== sentence(others[nr] ?? NOTHING));
    const nr = same >= 0 ? same : mine.length;
    const [one, other] = [mine[nr] ?? null, others[nr] ?? null];
    if (!one && !other) return [];
    const counted = {
      a_in_a: times(of_a, one),
      a_in_b: times(of_b, one),
      b_in_a: times(of_a, other),
      b_in_b: times(of_b, other),
    };
    return [{ vcpu: left[index]?.vcpu ?? right[index]?.vcpu ?? '', same: nr, a: one, b: other, times: counted }];
  });
  const count = (all: Episodes): number => all.reduce((sum, { episodes }) => sum + episodes.length, 0);
  return { counts: [count(left), count(right)], only_a, only_b, differences: differences.flat() };
}

const NOTHING: Episode = { time_ns: 0, words: [] };

function sentence({ words }: Episode): string {
  return words.join(' ');
}

function tally(all: Episodes): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { episodes } of all)
    for (const episode of episodes) counts.set(sentence(episode), (counts.get(sentence(episode)) ?? 0) + 1);
  return counts;
}
