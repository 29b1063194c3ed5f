/** `apflab doctor`: what the environment offers, and what to do where that is too little. */
import { printable } from '../../base/printable.ts';
import type { Args } from '../args.ts';
import { colourDepth } from '../colour.ts';
import { columns } from '../columns.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { version } from '../package.ts';
import type { Terminal } from '../terminal.ts';

interface Finding {
  readonly about: string;
  readonly value: string;
  /** ok; limited: something looks worse or one verb is missing; broken: apflab does not work here. */
  readonly state: 'ok' | 'limited' | 'broken';
  readonly advice: string;
}

const NODE_LEAST = 22;
const [COLUMNS_LEAST, ROWS_LEAST] = [80, 24];

export async function doctor(_args: Args, terminal: Terminal): Promise<ExitCode> {
  const { out } = terminal;
  const found = await findings(terminal);
  const paint = { ok: out.paint.good, limited: out.paint.warn, broken: out.paint.bad };
  out.write(columns(found.map(({ about, value, state }) => [about, paint[state](state), printable(value)])));
  const advice = found.filter(({ state }) => state !== 'ok');
  out.write(
    advice.map(each => `\n${paint[each.state](each.about)}: ${each.advice}`).join('') + (advice.length > 0 ? '\n' : ''),
  );
  return found.some(({ state }) => state === 'broken') ? EXIT.refused : EXIT.ok;
}

async function findings(terminal: Terminal): Promise<readonly Finding[]> {
  const { release, type: system } = await import('node:os');
  return [
    { about: 'apflab', value: version(), state: 'ok', advice: '' },
    nodeFinding(),
    { about: 'system', value: `${system()} ${release()} ${process.arch}`, state: 'ok', advice: '' },
    ttyFinding(terminal),
    sizeFinding(terminal),
    termFinding(terminal),
    await colourFinding(terminal),
    localeFinding(terminal),
    multiplexerFinding(terminal),
  ];
}

function nodeFinding(): Finding {
  const broken = Number(process.versions.node.split('.')[0]) < NODE_LEAST;
  return {
    about: 'node',
    value: process.version,
    state: broken ? 'broken' : 'ok',
    advice: `apflab needs Node ${NODE_LEAST} or later`,
  };
}

function ttyFinding({ tty }: Terminal): Finding {
  const names = (['in', 'out', 'err'] as const).filter(name => tty[name]);
  return {
    about: 'terminal',
    value: names.length > 0 ? `std${names.join(', std')}` : 'none',
    state: tty.in && tty.out ? 'ok' : 'limited',
    advice: 'watch needs a terminal for its input and its output; everything else works without',
  };
}

function sizeFinding(terminal: Terminal): Finding {
  const size = terminal.size();
  const small = size !== null && (size.columns < COLUMNS_LEAST || size.rows < ROWS_LEAST);
  return {
    about: 'size',
    value: size === null ? 'unknown' : `${size.columns}x${size.rows}`,
    state: small ? 'limited' : 'ok',
    advice: `the monitor is made for ${COLUMNS_LEAST}x${ROWS_LEAST} and upward; below it shows less`,
  };
}

function termFinding({ env, tty }: Terminal): Finding {
  const term = env['TERM'] ?? '';
  return {
    about: 'TERM',
    value: term || 'not set',
    state: tty.out && (term === '' || term === 'dumb') ? 'limited' : 'ok',
    advice: 'this kind of terminal cannot move its cursor; watch needs one that can, such as xterm-256color',
  };
}

async function colourFinding({ env, tty }: Terminal): Promise<Finding> {
  const set = ['NO_COLOR', 'FORCE_COLOR'].filter(name => env[name]).map(name => `${name}=${env[name]}`);
  return {
    about: 'colours',
    value: [colourText(await colourDepth(env, tty.out)), ...set].join(', '),
    state: 'ok',
    advice: '',
  };
}

function colourText(depth: number): string {
  return depth <= 1 ? 'none' : depth >= 24 ? 'true colour' : String(2 ** depth);
}

function localeFinding({ env }: Terminal): Finding {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  const utf8 = /utf-?8/i.test(locale) || process.platform === 'darwin' || process.platform === 'win32';
  return {
    about: 'UTF-8',
    value: locale || 'no locale set',
    state: utf8 ? 'ok' : 'limited',
    advice: 'blocks and arrows may show wrongly; set LANG to a UTF-8 locale such as C.UTF-8',
  };
}

function multiplexerFinding({ env }: Terminal): Finding {
  const name = env['TMUX'] ? 'tmux' : env['STY'] ? 'screen' : env['SSH_TTY'] ? 'ssh' : 'none';
  const dull = name === 'tmux' && !/^(?:tmux|screen)/.test(env['TERM'] ?? '');
  return {
    about: 'tmux, screen, ssh',
    value: name,
    state: dull ? 'limited' : 'ok',
    advice: 'inside tmux TERM should be tmux-256color: set -g default-terminal tmux-256color',
  };
}
