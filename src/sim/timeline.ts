/**
 * Going back and forth in a run: checkpoints, and replay from the one before.
 *
 * A run is a value, so any moment can be had again by restoring an earlier one and running on. Checkpoints hold the
 * buffer in chunks and share those that did not change since the checkpoint before. When there are many, every other
 * one is dropped and the distance doubles: going back costs at most that many steps of replay.
 */
import type { TraceEvent } from '../trace/event.ts';
import type { JudgeState } from './judge/judge.ts';
import type { Program } from './program.ts';
import { createSimulation, type Simulation } from './simulation.ts';

const CHUNK_BYTES = 16_384;
const CHECKPOINTS_MAX = 128;
/** Steps between the first checkpoints. */
const FIRST_DISTANCE = 1024;
/** Steps between two questions whether it is enough. */
const SLICE = 256;
const never = () => false;
/** Events kept behind the position; replay starts early enough to have some of them. */
const EVENTS_KEPT = 20_000;
const REPLAY_FOR_EVENTS = 2_000;

interface Checkpoint {
  readonly position: number;
  readonly chunks: readonly Uint8Array[];
  readonly judge: JudgeState;
  readonly over: Simulation['over'];
}

/** An event with the step in which it came. */
export interface TimedEvent {
  readonly step: number;
  readonly event: TraceEvent;
}

export interface Timeline {
  readonly simulation: Simulation;
  /** Steps taken so far. */
  readonly position: number;
  /** Steps on; returns how many there were before the run was over. */
  forward(steps: number): number;
  back(steps: number): void;
  /** To a number of steps from the start. */
  seek(position: number): void;
  /** To the last moment at or before a virtual time. False when `enough` has ended it earlier. */
  seekNs(ns: number, enough?: () => boolean): boolean;
  /** On until the condition holds, looked at after each step. False when the run was over first, or `enough` said so. */
  forwardTo(found: () => boolean, enough?: () => boolean): boolean;
  /** Back to the latest earlier position at which the condition held after that step; else to the start. */
  backTo(found: () => boolean): boolean;
  /** The latest events up to the position, oldest first, as far as they are kept. */
  events(): readonly TimedEvent[];
}

export function createTimeline(program: Program): Timeline {
  let log: TimedEvent[] = [];
  const simulation = createSimulation(program, {
    record: event => {
      log.push({ step: simulation.machine.clock.step, event });
      if (log.length > 2 * EVENTS_KEPT) log = log.slice(-EVENTS_KEPT);
    },
  });
  const { clock, layout } = simulation.machine;
  const bytes = new Uint8Array(layout.buffer);
  let distance = FIRST_DISTANCE;
  let checkpoints: Checkpoint[] = [takeCheckpoint(null)];

  function takeCheckpoint(before: Checkpoint | null): Checkpoint {
    const chunks: Uint8Array[] = [];
    for (let index = 0; index * CHUNK_BYTES < bytes.length; index += 1) {
      const now = bytes.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
      const then = before?.chunks[index];
      chunks.push(then && equalBytes(now, then) ? then : now.slice());
    }
    return { position: clock.step, chunks, judge: simulation.judge.save(), over: simulation.over };
  }

  /** Takes one if the last is far enough behind; drops every other when there are too many. */
  function maybeCheckpoint(): void {
    const last = checkpoints.at(-1);
    if (last && clock.step < last.position + distance) return;
    checkpoints.push(takeCheckpoint(last ?? null));
    if (checkpoints.length < CHECKPOINTS_MAX) return;
    checkpoints = checkpoints.filter((_, index) => index % 2 === 0);
    distance *= 2;
  }

  /** Runs to a position, leaving checkpoints on the way. */
  function runTo(position: number): void {
    while (clock.step < position && simulation.over === null) {
      const last = checkpoints.at(-1);
      const next = last ? Math.max(last.position + distance, clock.step + 1) : position;
      simulation.runUntil(Number.MAX_SAFE_INTEGER, Math.min(position, next) - clock.step);
      maybeCheckpoint();
    }
  }

  function restoreBefore(position: number): void {
    let checkpoint = checkpoints[0]!;
    for (const candidate of checkpoints) if (candidate.position <= position) checkpoint = candidate;
    const merged = new Uint8Array(bytes.length);
    checkpoint.chunks.forEach((chunk, index) => {
      merged.set(chunk, index * CHUNK_BYTES);
    });
    simulation.restore({ bytes: merged.buffer, judge: checkpoint.judge, over: checkpoint.over });
    log = log.filter(entry => entry.step <= checkpoint.position);
  }

  function seek(position: number): void {
    const target = Math.max(0, position);
    if (target < clock.step) {
      restoreBefore(target);
      // Without events behind it the view of them would be empty: start one further back.
      if (log.length === 0 && target > 0) restoreBefore(Math.max(0, target - REPLAY_FOR_EVENTS));
    }
    runTo(target);
  }

  return {
    simulation,
    get position() {
      return clock.step;
    },
    forward(steps) {
      const start = clock.step;
      runTo(start + steps);
      return clock.step - start;
    },
    back(steps) {
      seek(clock.step - steps);
    },
    seek,
    seekNs(ns, enough = never) {
      if (ns < clock.now_ns) {
        const before = checkpointBefore(ns);
        restoreBefore(before);
        if (log.length === 0) restoreBefore(Math.max(0, before - REPLAY_FOR_EVENTS));
      }
      while (simulation.over === null) {
        const start = clock.step;
        simulation.runUntil(ns, FIRST_DISTANCE);
        maybeCheckpoint();
        if (clock.step === start) return true;
        if (enough()) return false;
      }
      return true;
    },
    forwardTo(found, enough = never) {
      while (simulation.over === null) {
        if (clock.step % SLICE === 0 && enough()) return false;
        const start = clock.step;
        simulation.step();
        maybeCheckpoint();
        if (clock.step === start) return false;
        if (found()) return true;
      }
      return false;
    },
    backTo(found) {
      const end = clock.step;
      for (let index = checkpoints.length - 1; index >= 0; index -= 1) {
        const from = checkpoints[index]!;
        if (from.position >= end) continue;
        const until = Math.min(end - 1, checkpoints[index + 1]?.position ?? end);
        restoreBefore(from.position);
        let latest = -1;
        while (clock.step < until && simulation.over === null) {
          simulation.step();
          if (found()) latest = clock.step;
        }
        if (latest >= 0) {
          seek(latest);
          return true;
        }
      }
      seek(0);
      return false;
    },
    events: () => log,
  };

  /** Position of the last checkpoint not after a virtual time; its clock is in its own bytes, so ask by restoring. */
  function checkpointBefore(ns: number): number {
    let low = 0;
    let high = checkpoints.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      restoreBefore(checkpoints[middle]!.position);
      if (clock.now_ns <= ns) low = middle;
      else high = middle - 1;
    }
    return checkpoints[low]!.position;
  }
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  // Buffers are whole numbers of 8 bytes, and chunks start at multiples of it.
  const words_a = new Int32Array(a.buffer, a.byteOffset, a.length >> 2);
  const words_b = new Int32Array(b.buffer, b.byteOffset, b.length >> 2);
  for (let index = 0; index < words_a.length; index += 1) if (words_a[index] !== words_b[index]) return false;
  return true;
}
