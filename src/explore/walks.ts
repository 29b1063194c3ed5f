/**
 * Paths instead of all of them: at random, or by priorities that change a few times (PCT).
 *
 * Fast to find what many orders lead to, and no proof of anything. PCT gives each actor a priority by lot and lets the
 * highest go on, but for d - 1 moments, drawn before, at which whoever goes falls behind all others: a bug that takes d
 * ordered events in n actors and k steps shows itself with odds of at least 1 / (n k^(d-1)) a path (Burckhardt et al.,
 * "A randomized scheduler with probabilistic guarantees of finding bugs").
 */
import { below, type Stream, seedStream } from '../base/rng.ts';
import type { Program } from '../sim/program.ts';
import type { ExploreOptions } from './explore.ts';
import { Notes } from './notes.ts';
import { Packing } from './packing.ts';
import type { Progress, SearchResult } from './search.ts';
import { World } from './world.ts';

const LONGEST_WALK = 5000;
const CHANGES = 3;

export function* walk(program: Program, options: ExploreOptions): Generator<Progress, SearchResult> {
  const world = new World(program, { paranoid: options.paranoid });
  const notes = new Notes(program, world.judge, options.all);
  const start = new Packing(world);
  const moves = new Int32Array(world.moves);
  const stream: Stream = { rng_a: 0, rng_b: 0, rng_c: 0, rng_d: 0 };
  const longest = options.depth ?? LONGEST_WALK;
  let steps = 0;
  let deepest = 0;
  let quiescent = 0;
  let walks = 0;
  let stopped: string | null = null;
  while (walks < options.walks && stopped === null) {
    start.first();
    seedStream(stream, options.seed + walks, options.strategy);
    const pick =
      options.strategy === 'pct' ? byPriority(stream, world.moves, Math.max(deepest, 100)) : atRandom(stream);
    const path: number[] = [];
    notes.begin();
    for (;;) {
      const count = world.enabled(moves);
      if (!moves.subarray(0, count).some(move => world.isFair(move))) {
        quiescent += 1;
        notes.end(path);
      }
      if (count === 0 || path.length >= longest) break;
      const move = pick(moves, count, path.length);
      world.take(move);
      path.push(move);
      notes.look(path);
    }
    walks += 1;
    steps += path.length;
    deepest = Math.max(deepest, path.length);
    if (notes.enough) stopped = 'a judgement has failed';
    else if (walks % 16 === 0) {
      if (options.progress && !options.progress(progress())) stopped = 'interrupted';
      yield progress();
    }
  }
  stopped ??= `${walks} paths`;
  return {
    ...progress(),
    steps,
    quiescent,
    found: notes.found,
    reached: notes.reached,
    stopped,
    cyclic: false,
    rounds: walks,
  };

  function progress(): Progress {
    return { states: 0, transitions: steps, frontier: options.walks - walks, depth: deepest, bytes: 0 };
  }
}

type Pick = (moves: Int32Array, count: number, step: number) => number;

function atRandom(stream: Stream): Pick {
  return (moves, count) => moves[below(stream, count)]!;
}

function byPriority(stream: Stream, actors: number, length: number): Pick {
  const priority = Array.from({ length: actors }, () => CHANGES + below(stream, 1 << 20));
  const changes = Array.from({ length: CHANGES }, () => below(stream, length));
  return (moves, count, step) => {
    let best = moves[0]!;
    for (let index = 1; index < count; index += 1) if (priority[moves[index]!]! > priority[best]!) best = moves[index]!;
    const change = changes.indexOf(step);
    if (change >= 0) priority[best] = CHANGES - 1 - change;
    // Who goes on for ever lets the others starve: a thread that spins is moved behind them now and then.
    else if (step % 500 === 499) priority[best] = -step;
    return best;
  };
}
