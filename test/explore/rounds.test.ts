/** Going round for ever: the way round leaves nobody out who could always move, and that is looked at edge by edge. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.ts';
import { below, type Stream, seedStream } from '../../src/base/rng.ts';
import { Rounds } from '../../src/explore/rounds.ts';

const test = suite('rounds');
/** Of each state, where each move leads; -1 where it cannot be made. */
type Graph = readonly (readonly number[])[];

const MOVES = 4;
/** Nobody has to make the last move. */
const isFair = (move: number) => move < MOVES - 1;

function roundsOf(graph: Graph): Rounds {
  const rounds = new Rounds(isFair);
  graph.forEach((moves, state) => {
    rounds.begin(state);
    moves.forEach((to, move) => {
      if (to >= 0) rounds.add(move, to);
    });
  });
  rounds.begin(graph.length);
  return rounds;
}

/** Walks it, and says what is wrong with it. */
function faultOf(graph: Graph, first: number, moves: readonly number[], inside: ReadonlySet<number>): string | null {
  let at = first;
  const starved = new Set([0, 1, 2, 3].filter(move => isFair(move)));
  for (const move of moves) {
    for (const each of starved) if (graph[at]![each]! < 0) starved.delete(each);
    starved.delete(move);
    at = graph[at]![move]!;
    if (at < 0) return `move ${move} cannot be made`;
    if (!inside.has(at)) return `${at} is outside`;
  }
  if (moves.length === 0) return 'no move';
  if (at !== first) return `it ends at ${at}`;
  return starved.size > 0 ? `it leaves out ${[...starved]}` : null;
}

/** Whether any walk within these states is fair, by going all of them up to a length. */
function anyFair(graph: Graph, first: number, inside: ReadonlySet<number>, most: number): boolean {
  const go = (at: number, moves: readonly number[]): boolean => {
    if (moves.length > 0 && at === first && faultOf(graph, first, moves, inside) === null) return true;
    if (moves.length === most) return false;
    return graph[at]!.some((to, move) => inside.has(to) && go(to, [...moves, move]));
  };
  return go(first, []);
}

test('where it can go round fairly there is a way that is fair as it is walked; elsewhere there is none', () => {
  const stream: Stream = { rng_a: 0, rng_b: 0, rng_c: 0, rng_d: 0 };
  let fair = 0;
  let unfair = 0;
  for (let seed = 0; seed < 3000; seed += 1) {
    seedStream(stream, seed, 'rounds');
    const size = 1 + below(stream, 6);
    const graph = Array.from({ length: size }, () =>
      Array.from({ length: MOVES }, () => (below(stream, 3) === 0 ? -1 : below(stream, size))),
    );
    const open = graph.map(() => below(stream, 4) > 0);
    const rounds = roundsOf(graph);
    const round = rounds.find(open);
    const [first = 0] = round?.states ?? [];
    if (round) {
      fair += 1;
      assert.ok(round.states.every(state => open[state]));
      assert.is(faultOf(graph, first, rounds.tour(round, first), new Set(round.states)), null, JSON.stringify(graph));
    } else {
      unfair += 1;
      const inside = new Set(open.flatMap((is, state) => (is ? [state] : [])));
      if (size < 5) for (const state of inside) assert.not(anyFair(graph, state, inside, 4), JSON.stringify(graph));
    }
  }
  assert.ok(fair > 100 && unfair > 100, `${fair} fair ones and ${unfair} others`);
});

test('a way by which somebody could always move, who moves elsewhere in the set, is not fair', () => {
  // The second actor leaves from 0 and 1; it stands still at 2, which the shortest way round does not meet.
  const graph = [
    [1, 3, -1, -1],
    [0, 3, 2, -1],
    [0, -1, -1, -1],
    [-1, -1, -1, -1],
  ];
  const rounds = roundsOf(graph);
  const round = present(rounds.find([true, true, true, true]), 'there is one');
  assert.equal([...round.states].sort(), [0, 1, 2]);
  assert.is(faultOf(graph, 0, [0, 0], new Set(round.states)), 'it leaves out 1');
  assert.equal(rounds.tour(round, 0), [0, 2, 0]);
});

test('a set in which a judgement is open need not be all that can be reached from one another', () => {
  // At 2 what was promised comes; round by 0 and 1 it never does.
  const rounds = roundsOf([
    [1, -1, -1, -1],
    [0, -1, -1, 2],
    [0, -1, -1, -1],
  ]);
  assert.is(rounds.find([true, true, true])?.states.length, 3);
  assert.equal([...(rounds.find([true, true, false])?.states ?? [])].sort(), [0, 1]);
});

test('who waits all the time is not passed over for ever, but need not be picked where nobody is', () => {
  /** 0 and 1 lead to one another; a task waits at both, or at the first, and is passed over on the way back. */
  const find = (waits: readonly boolean[], passed: readonly number[], own: boolean) => {
    const rounds = new Rounds(isFair);
    waits.forEach((waiting, state) => {
      rounds.begin(state, waiting ? [7] : []);
      rounds.add(0, 1 - state, state === 1 ? passed : []);
      if (own && state === 0) rounds.add(0, 0);
    });
    rounds.begin(2);
    const round = rounds.find([true, true]);
    return round && [...rounds.tour(round, 0)];
  };
  assert.equal(find([true, true], [7], false), null);
  assert.equal(find([true, true], [7], true), [0], 'round at the first, without the other');
  assert.equal(find([true, true], [], false), [0, 0], 'nobody is picked');
  assert.equal(find([true, false], [7], false), [0, 0], 'it was picked');
});

test.run();
