/** What a scenario asks of a VMM's monitor. */
import type { ActionOp } from '../program.ts';

/** An act that a VMM carries out by itself, by asking things of its vCPU threads. */
export type Command = Extract<ActionOp, { readonly op: (typeof COMMANDS)[number] }>;

export function isCommand(op: ActionOp): op is Command {
  return COMMANDS.some(each => each === op.op);
}

const COMMANDS = [
  'pause',
  'resume',
  'query',
  'save',
  'restore',
  'get_mpstate',
  'set_mpstate',
  'reset',
  'clear_queue',
] as const;
