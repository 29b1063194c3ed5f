/**
 * What things look like: a role for each meaning, and per terminal the escape codes for it.
 *
 * Colours are those of Okabe and Ito, which colour-blind people tell apart, and never the only mark: each state also
 * has its word or letter. With NO_COLOR only bold, dim and reverse remain.
 */

/** 0: no colours, 1: the 16 of every terminal, 2: 256, 3: 24 bits. */
export type ColorLevel = 0 | 1 | 2 | 3;

interface Look {
  readonly rgb?: readonly [number, number, number];
  readonly ansi256?: number;
  readonly ansi16?: number;
  readonly bold?: true;
  readonly reverse?: true;
}

const LOOKS = {
  plain: {},
  dim: { rgb: [0x8a, 0x8f, 0x98], ansi256: 245, ansi16: 90 },
  strong: { bold: true },
  title: { rgb: [0x56, 0xb4, 0xe9], ansi256: 74, ansi16: 36 },
  focus: { rgb: [0xe6, 0x9f, 0x00], ansi256: 178, ansi16: 33, bold: true },
  selected: { reverse: true },
  key: { rgb: [0xe6, 0x9f, 0x00], ansi256: 178, ansi16: 33 },
  good: { rgb: [0x00, 0x9e, 0x73], ansi256: 36, ansi16: 32 },
  bad: { rgb: [0xd5, 0x5e, 0x00], ansi256: 166, ansi16: 31, bold: true },
  warn: { rgb: [0xf0, 0xe4, 0x42], ansi256: 227, ansi16: 93 },
  guest: { rgb: [0x00, 0x9e, 0x73], ansi256: 36, ansi16: 32 },
  host: { rgb: [0x56, 0xb4, 0xe9], ansi256: 74, ansi16: 36 },
  asleep: { rgb: [0xcc, 0x79, 0xa7], ansi256: 175, ansi16: 35 },
  apf: { rgb: [0xe6, 0x9f, 0x00], ansi256: 178, ansi16: 33 },
} as const satisfies Record<string, Look>;

export type Role = keyof typeof LOOKS;
export const ROLE_NAMES = Object.keys(LOOKS).filter((name): name is Role => Object.hasOwn(LOOKS, name));

export interface Glyphs {
  readonly rule: string;
  readonly pointer: string;
  readonly yes: string;
  readonly no: string;
  readonly open: string;
  readonly running: string;
  readonly paused: string;
  readonly bar: string;
}

const UNICODE: Glyphs = {
  rule: '─',
  pointer: '▸',
  yes: '✓',
  no: '✗',
  open: '·',
  running: '▶',
  paused: '‖',
  bar: '█',
};
const ASCII: Glyphs = {
  rule: '-',
  pointer: '>',
  yes: '+',
  no: 'x',
  open: '.',
  running: '>',
  paused: '=',
  bar: '#',
};

/** Text in one look. */
export interface Piece {
  readonly role: Role;
  readonly text: string;
}

export interface Theme {
  readonly level: ColorLevel;
  readonly glyphs: Glyphs;
  /** The pieces after each other, each in its look. */
  paint(pieces: readonly Piece[]): string;
}

export function createTheme(level: ColorLevel, unicode = true): Theme {
  const open = new Map(ROLE_NAMES.map(role => [role, sgr(LOOKS[role], level)]));
  return {
    level,
    glyphs: unicode ? UNICODE : ASCII,
    paint(pieces) {
      let painted = '';
      let look: Look = LOOKS.plain;
      let on = false;
      for (const { role, text } of pieces) {
        const codes = open.get(role) ?? '';
        // Escape codes cost Ink as much as text: a colour replaces a colour, only more than that must be taken back.
        if (on && (codes === '' || look.bold || look.reverse)) painted += RESET;
        painted += codes + text;
        look = LOOKS[role];
        on = codes !== '';
      }
      return on ? painted + RESET : painted;
    },
  };
}

const RESET = '\x1b[0m';

function sgr(look: Look, level: ColorLevel): string {
  const codes: (number | string)[] = [];
  if (look.bold) codes.push(1);
  if (look.reverse) codes.push(7);
  if (level === 3 && look.rgb) codes.push(`38;2;${look.rgb.join(';')}`);
  if (level === 2 && look.ansi256 !== undefined) codes.push(`38;5;${look.ansi256}`);
  if (level === 1 && look.ansi16 !== undefined) codes.push(look.ansi16);
  return codes.length > 0 ? `\x1b[${codes.join(';')}m` : '';
}

/** What a terminal can do, from its environment. NO_COLOR wins, then FORCE_COLOR (as chalk reads it), then what TERM says. */
export function colorLevelOf(env: Readonly<Record<string, string | undefined>>): ColorLevel {
  if (env['NO_COLOR']) return 0;
  const forced = env['FORCE_COLOR'];
  if (forced === '0' || forced === 'false') return 0;
  if (forced === '1' || forced === '2' || forced === '3') return forced === '1' ? 1 : forced === '2' ? 2 : 3;
  const term = env['TERM'] ?? '';
  if (term === 'dumb') return 0;
  if (/^(truecolor|24bit)$/.test(env['COLORTERM'] ?? '') || /-(direct|truecolor)$/.test(term)) return 3;
  return /-256(color)?$/.test(term) ? 2 : 1;
}

/** Whether the locale says UTF-8; where it says nothing, it is. */
export function isUnicode(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || 'UTF-8';
  return /utf-?8/i.test(locale);
}
