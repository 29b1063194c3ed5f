/**
 * Makes a schedule easier to read, and no longer: fewer switches between actors first, then fewer moves.
 *
 * Whatever is tried is run, and kept only where the same judgement fails. A move that cannot be made any more, since what
 * led to it is gone, is left out and the rest goes on: so a whole actor can go at once.
 */
import type { Program } from '../sim/program.ts';
import { World } from './world.ts';

/** Runs at most; each takes about as long as the counterexample has steps. */
const TRIES_MOST = 4000;

export interface Shrunk {
  readonly moves: readonly number[];
  readonly context_switches: number;
  /** Runs that were tried. */
  readonly tries: number;
}

/** `explored`: the program without times. `moves`: from the first state on, as in a Counterexample. */
export function shrink(explored: Program, moves: readonly number[], breaks: string): Shrunk {
  const rerun = new Rerun(explored, breaks);
  let best = rerun.of(moves) ?? moves;
  for (;;) {
    const before = best;
    best = joinBlocks(rerun, best);
    best = dropMoves(rerun, best);
    if (best === before || rerun.tries >= TRIES_MOST) break;
  }
  return { moves: best, context_switches: switchesOf(best), tries: rerun.tries };
}

/** How often another one moves than the one before. */
export function switchesOf(moves: readonly number[]): number {
  return moves.filter((move, index) => index > 0 && move !== moves[index - 1]).length;
}

function isBetter(one: readonly number[], other: readonly number[]): boolean {
  if (one.length > other.length) return false;
  const [mine, others] = [switchesOf(one), switchesOf(other)];
  return mine < others || (mine === others && one.length < other.length);
}

/** Runs of moves of one actor, in order. */
function blocksOf(moves: readonly number[]): readonly (readonly number[])[] {
  const blocks: number[][] = [];
  for (const move of moves) {
    const last = blocks.at(-1);
    if (last && last[0] === move) last.push(move);
    else blocks.push([move]);
  }
  return blocks;
}

/** Brings what one actor does in two goes together, earlier or later, or does without what stands between. */
function joinBlocks(rerun: Rerun, moves: readonly number[]): readonly number[] {
  let best = moves;
  for (let again = true; again; ) {
    again = false;
    const blocks = blocksOf(best);
    for (const candidate of joined(blocks)) {
      const found = rerun.of(candidate.flat());
      if (found && isBetter(found, best)) {
        best = found;
        again = true;
        break;
      }
      if (rerun.tries >= TRIES_MOST) return best;
    }
  }
  return best;
}

function* joined(blocks: readonly (readonly number[])[]): Generator<readonly (readonly number[])[]> {
  for (let first = 0; first < blocks.length; first += 1)
    for (let second = first + 2; second < blocks.length; second += 1) {
      const [one, other] = [blocks[first]!, blocks[second]!];
      if (one[0] !== other[0]) continue;
      const [before, between, after] = [
        blocks.slice(0, first),
        blocks.slice(first + 1, second),
        blocks.slice(second + 1),
      ];
      yield [...before, one, other, ...between, ...after];
      yield [...before, ...between, one, other, ...after];
      yield [...before, one, other, ...after];
    }
}

/** Does without an actor, from one of its blocks on; then without ever smaller pieces of the whole. */
function dropMoves(rerun: Rerun, moves: readonly number[]): readonly number[] {
  let best = moves;
  const attempt = (candidate: readonly number[]): boolean => {
    if (rerun.tries >= TRIES_MOST || candidate.length >= best.length) return false;
    const found = rerun.of(candidate);
    if (!found || !isBetter(found, best)) return false;
    best = found;
    return true;
  };
  for (const actor of new Set(moves))
    for (let index = 0; index < best.length; index += 1)
      if (best[index] === actor && best[index - 1] !== actor)
        attempt(best.filter((move, at) => at < index || move !== actor));
  for (let size = best.length >> 1; size >= 1; size >>= 1)
    for (let from = 0; from < best.length; )
      if (!attempt([...best.slice(0, from), ...best.slice(from + size)])) from += size;
  return best;
}

/** The same world again and again, from its first state on. */
class Rerun {
  tries = 0;
  readonly #world: World;
  readonly #moves: Int32Array;
  readonly #live: Uint32Array;
  readonly #first: Uint32Array;
  readonly #beside: Uint32Array;

  constructor(explored: Program, breaks: string) {
    const judgements = explored.judgements.filter(({ name }) => name === breaks);
    const world = new World({ ...explored, judgements, expectations: [] });
    this.#world = world;
    this.#moves = new Int32Array(world.moves);
    const { buffer } = world.m.layout;
    this.#live = new Uint32Array(buffer, 0, buffer.byteLength >>> 2);
    this.#first = this.#live.slice();
    world.readBeside();
    this.#beside = world.beside.words.slice();
  }

  /** Those of the moves that can be made, up to the one that breaks the judgement; null where none does. */
  of(moves: readonly number[]): readonly number[] | null {
    const world = this.#world;
    this.tries += 1;
    this.#live.set(this.#first);
    world.beside.words.set(this.#beside);
    world.writeBeside();
    const made: number[] = [];
    let { decided } = world.judge;
    for (const move of moves) {
      if (!this.#isEnabled(move)) continue;
      world.take(move);
      made.push(move);
      if (decided === world.judge.decided) continue;
      decided = world.judge.decided;
      if (this.#isBroken()) return made;
    }
    if (this.#goesOn()) return null;
    world.judge.finish('quiescent');
    return this.#isBroken() ? made : null;
  }

  #isEnabled(move: number): boolean {
    return this.#moves.subarray(0, this.#world.enabled(this.#moves)).includes(move);
  }

  #goesOn(): boolean {
    const count = this.#world.enabled(this.#moves);
    return this.#moves.subarray(0, count).some(move => this.#world.isFair(move));
  }

  #isBroken(): boolean {
    return this.#world.judge.results().some(({ holds }) => holds === 'no');
  }
}
