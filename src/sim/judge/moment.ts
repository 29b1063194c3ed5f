/** Moments in the words of a verdict. */
import { durationText } from '../../base/duration.ts';
import type { Machine } from '../machine.ts';
import type { Program } from '../program.ts';

/** Explored, nothing has a time: there is no clock, and only the order counts. A schedule that was found runs with one. */
export function hasClock({ untimed, schedule }: Program): boolean {
  return untimed !== true || schedule !== undefined;
}

/** ` at 5ms`, after whatever leads up to it; nothing where there is no clock. */
export function momentText(m: Machine, leading: string, at_ns: number): string {
  return hasClock(m.program) ? `${leading}${durationText(at_ns)}` : '';
}
