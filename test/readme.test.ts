/**
 * Everything the README and docs/ show to type is typed here, and says what they show.
 *
 * `console` blocks hold commands after `$ ` and what they print (a line of `...` stands for any lines); `sh` blocks
 * hold commands that succeed; `apf` blocks are whole scenarios, or parts when marked `apf fragment`. The blocks of a
 * file share a folder. Commands of npm are for a clone: .ci/run runs the two of the README, here they must exist.
 */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'uvu';
import { equal, is, ok } from 'uvu/assert';
import { files, read } from '../scripts/imports.ts';
import { type Block, blocks, type Shown, shown } from '../scripts/markdown.ts';
import { apflab, type Ended, inFolder, PROGRAM, run } from './apflab.ts';
import { terminal } from './terminal.ts';

const COPIED = ['litmus', 'scenarios', 'std', 'test/data'];
const SETUP = ['npm ci && npm start', 'npm ci && npm test'];

function stepsOf(block: Block): readonly Shown[] {
  if (block.language === 'console') return shown(block);
  const lines = block.text.split('\n').filter(line => line.trim() !== '' && !line.startsWith('#'));
  return lines.map(command => ({ command, output: '' }));
}

/** One shell for all commands, so that `cd`, variables and `$?` mean what they say. */
async function session(commands: readonly string[], folder: string): Promise<readonly Ended[]> {
  mkdirSync(join(folder, '.bin'), { recursive: true });
  writeFileSync(join(folder, '.bin/apflab'), `#!/bin/sh\nexec "${process.execPath}" "${PROGRAM}" "$@"\n`);
  chmodSync(join(folder, '.bin/apflab'), 0o755);
  const script = commands.map(command => `${command}\nrc=$?; printf '\\036%d\\036' $rc; (exit $rc)`).join('\n');
  const PATH = [join(folder, '.bin'), process.env.PATH].join(delimiter);
  const { stdout } = await run('sh', ['-c', `exec 2>&1\n${script}`], { cwd: folder, env: { PATH } });
  const parts = stdout.split('\u001e');
  return commands.map((_, at) => ({ stdout: parts[2 * at] ?? '', code: Number(parts[2 * at + 1]), stderr: '' }));
}

/** Whether `actual` is what the document shows, where a line of dots stands for any number of lines. */
function shows(expected: string, actual: string): boolean {
  const parts = `${expected}\n`.split(/^(?:\.\.\.|…)\n/m).map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('(?:[\\s\\S]*\\n)?')}$`).test(`${actual}\n`);
}

for (const file of files('README.md', 'docs/*.md')) {
  const runnable = blocks(read(file)).filter(({ language }) => ['sh', 'console', 'apf'].includes(language));
  if (runnable.length === 0) continue;

  test(`${file}: what it shows is what happens`, () =>
    inFolder(async folder => {
      for (const block of runnable) {
        const at = `${file}:${block.line}`;
        if (block.language === 'apf') {
          if (block.marks.includes('fragment')) continue; // Statements alone are tested with their declarations.
          const { code, stderr } = await apflab(['check', '-'], { stdin: block.text, cwd: folder });
          is(code, 0, `${at}: ${stderr}`);
          continue;
        }
        let typed: Shown[] = [];
        for (const step of stepsOf(block)) {
          if (/^npm\b/.test(step.command)) {
            hasScript(step.command, at);
          } else if (/^apflab watch\b/.test(step.command)) {
            await follow(typed, folder, at);
            typed = [];
            is(await opens(step.command, folder), 0, `${at}: ${step.command}`);
          } else {
            typed.push(step);
          }
        }
        await follow(typed, folder, at);
      }
    }, COPIED));
}

/** Type the commands and compare: with what is shown, or, where nothing is, with success. */
async function follow(steps: readonly Shown[], folder: string, at: string): Promise<void> {
  const results = await session(
    steps.map(({ command }) => command),
    folder,
  );
  steps.forEach(({ command, output }, index) => {
    const { code = null, stdout = '' } = results[index] ?? {};
    const actual = stdout.trimEnd();
    if (output === '') is(code, 0, `${at}: ${command}\n${actual}`);
    else ok(shows(output, actual), `${at}: ${command}\nshown:\n${output}\nprinted:\n${actual}`);
  });
}

/** Open the monitor as a user would, and leave it with `q`. */
async function opens(command: string, folder: string): Promise<number> {
  const screen = terminal(process.execPath, [PROGRAM, ...command.split(/\s+/).slice(1)], { cwd: folder });
  await screen.until(text => text.includes('quit') || text.includes('q '), 'a footer that says how to leave');
  screen.type('q');
  return screen.ended();
}

function hasScript(command: string, at: string): void {
  const { scripts } = JSON.parse(read('package.json'));
  for (const [, run, name = ''] of command.matchAll(/\bnpm (run )?([\w-]+)/g)) {
    const known =
      run !== undefined || ['start', 'test'].includes(name)
        ? name in scripts
        : ['ci', 'install', 'pack'].includes(name);
    ok(known, `${at}: there is no npm script '${name}'`);
  }
}

test('README: begins with the two commands that need nothing before them', () => {
  const [first] = blocks(read('README.md')).filter(({ language }) => language === 'sh');
  equal(
    first?.text
      .trimEnd()
      .split('\n')
      .map(line => line.replace(/\s*#.*/, '')),
    SETUP,
  );
});

test('README: links lead to files that exist', () => {
  const links = [...read('README.md').matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target = '']) => target);
  const there = files('*', 'docs/**', 'litmus/**', 'scenarios/**', 'std/**', 'test/**');
  equal(
    links.filter(
      target => !there.includes(target) && !there.some(file => file.startsWith(`${target.replace(/\/$/, '')}/`)),
    ),
    [],
  );
});

test('dots stand for any lines, and for nothing else', () => {
  is(shows('a\n...\nc', 'a\nb\nb\nc'), true);
  is(shows('a\n...\nc', 'a\nc'), true);
  is(shows('a\n...', 'a\nb'), true);
  is(shows('a\n...\nc', 'a\nbc'), false);
  is(shows('a.c', 'abc'), false);
});

test.run();
