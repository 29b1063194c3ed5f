/** From what Ink says of a key to the names that the key table uses. */

/** The part of Ink's description that we look at. */
export interface KeyFlags {
  readonly upArrow: boolean;
  readonly downArrow: boolean;
  readonly leftArrow: boolean;
  readonly rightArrow: boolean;
  readonly pageDown: boolean;
  readonly pageUp: boolean;
  readonly home: boolean;
  readonly end: boolean;
  readonly return: boolean;
  readonly escape: boolean;
  readonly ctrl: boolean;
  readonly shift: boolean;
  readonly tab: boolean;
  readonly backspace: boolean;
  readonly delete: boolean;
  readonly meta: boolean;
}

const NAMED = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageDown', 'pagedown'],
  ['pageUp', 'pageup'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'enter'],
  ['backspace', 'backspace'],
  ['delete', 'backspace'],
  ['escape', 'escape'],
] as const;

/** The keys of one input event: a fast typist or a paste puts several characters in one. */
export function keysOf(input: string, flags: KeyFlags): readonly string[] {
  if (flags.tab) return [flags.shift ? 'shift-tab' : 'tab'];
  for (const [flag, name] of NAMED) if (flags[flag]) return [name];
  if (flags.ctrl) return [`ctrl-${input}`];
  if (flags.meta) return [];
  return Array.from(input, character => CONTROL[character] ?? character).filter(key => key.length > 1 || key >= ' ');
}

/** Control characters inside of a longer input. */
const CONTROL: Readonly<Record<string, string>> = {
  ' ': 'space',
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\x03': 'ctrl-c',
  '\x1a': 'ctrl-z',
  '\x7f': 'backspace',
  '\x08': 'backspace',
};
