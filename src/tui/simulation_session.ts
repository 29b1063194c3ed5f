import type { Picked } from './choice.ts';
import type { Session } from './session.ts';
export function openSimulation(_picked: Picked): Session {
  throw new Error('not yet');
}
