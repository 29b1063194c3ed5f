/**
 * A newcomer's first quarter of an hour, in a terminal of 80 by 24: from an empty folder to an expectation of one's own
 * that fails, is understood and is put right. The walk follows the README command by command; what the screen shows is
 * docs/walk.md. `UPDATE=1 npm test -- walk` writes it.
 */
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'uvu';
import { is, ok } from 'uvu/assert';
import { ROOT, read } from '../scripts/imports.ts';
import { blocks, shown } from '../scripts/markdown.ts';
import { STARTER } from '../src/cli/starter.ts';
import { inFolder, PROGRAM } from './apflab.ts';
import { type Screen, terminal } from './terminal.ts';

const DOCUMENT = 'docs/walk.md';
const PROMPT = '$';

interface Look {
  readonly title: string;
  readonly about: string;
}

/** Typed at the shell, and shown when the prompt is back. */
interface Command extends Look {
  readonly command: string;
  /** Set for what takes the screen: waited for in place of the prompt. */
  readonly opens?: string;
}

/** Typed into the monitor. */
interface Keys extends Look {
  readonly keys: readonly string[];
  readonly until: string | RegExp;
}

const WALK: readonly (Command | Keys)[] = [
  {
    title: 'What is this?',
    about: 'An empty folder and a program one has never seen. Without a verb it says what it can do.',
    command: 'apflab',
  },
  { title: 'Something to start from', about: 'A first scenario, small and commented.', command: 'apflab init' },
  {
    title: 'Does it work?',
    about: 'One case on one version of KVM, 20 ms of virtual time, some lines of trace, and everything in it holds.',
    command: 'apflab run scenario.apf',
  },
  {
    title: 'An expectation of my own',
    about:
      'A vCPU that takes asynchronous faults should never stand still for a page. What stands outside of the cases holds\nfor each of them, so the end of the file will do.',
    command: "cat >> scenario.apf <<'END'\n\nnever stalls: halt(web.vcpu[0])\nEND",
  },
  { title: 'It holds', about: 'The guest was told, and its other task ran.', command: 'apflab run scenario.apf' },
  {
    title: 'A harder question',
    about: "Is that so when the page is touched by the guest's kernel? Now db is a task that runs in the kernel.",
    command: "sed -i.bak '/task db/s/user/kernel/' scenario.apf",
  },
  {
    title: 'It fails',
    about:
      'Line 37 is mine: the vCPU was halted, a moment after db had touched the page. The last line repeats exactly this run.',
    command: 'apflab run scenario.apf',
  },
  {
    title: 'Watch it',
    about: 'The same run, at its beginning. The bottom line names the keys; `?` explains them all.',
    command: 'apflab watch scenario.apf',
    opens: 'paused 0.000000ms',
  },
  {
    title: 'To where it fails',
    about:
      '`n` goes to the next failing judgement. It stops in the very step that breaks it: `HALT` stands beside the vCPU, its\npage is being read from swap (pane 2), and the last line of the trace says `not_present`.',
    keys: ['n'],
    until: 'FAILS',
  },
  {
    title: 'Why does it not run?',
    about:
      '`w` shows what KVM asks before it lets a vCPU run. Nothing holds: the vCPU is halted, no completion waits, and no\ninterrupt has come.',
    keys: ['w'],
    until: 'why web/0 runs or not',
  },
  {
    title: 'It goes to sleep',
    about:
      '`j` jumps to a time, here to the last event before it. The thread of the vCPU is asleep until the page is there, or an\ninterrupt.',
    keys: ['j', '200us', '\r'],
    until: /blocked .*halted until[\s\S]* space run/,
  },
  {
    title: 'Who wakes it?',
    about:
      '`e` goes on to the next entry into the guest. It was the timer tick, most of a millisecond later,\nand the page is still being read.',
    keys: ['e'],
    until: 'db>irq',
  },
  {
    title: 'What was the guest told?',
    about:
      '`w` again brings the queues back. A filter leaves what concerns the fault: `not_present` was recorded, but there is\nno `kvm_inj_exception`. The guest never heard of it, and could not run its other task.',
    keys: ['w', '/', 'kvm_async_pf_* || kvm_inj_* || kvm_try_*', '\r'],
    until: /Tracepoints \/kvm[\s\S]* space run/,
  },
  {
    title: 'Out again',
    about: 'With `q`, to the shell as it was. Which rule kept the guest from being told?',
    keys: ['q'],
    until: /\$$/,
  },
  {
    title: 'The rule',
    about:
      "`cpl`: what the guest's kernel touches is not delivered to it, since it may hold locks that it must not sleep with.\nSo the claim was too wide, and the version is as it is meant to be.",
    command: "apflab protocols linux_6_12 | grep -A 2 ' deliver '",
  },
  {
    title: 'Put right',
    about: 'Known to fail on this version, and why. Should it pass one day, that will be a failure too.',
    command:
      "cat >> scenario.apf <<'END'\nexpect fail of stalls on variant linux_6_12\n  because \"faults of the guest's kernel are not told\"\nEND",
  },
  { title: 'Understood', about: 'And the exit code is 0.', command: 'apflab run scenario.apf' },
];

const INTRODUCTION = `# A first walk

Made by \`UPDATE=1 npm test -- walk\`, which does what is told here in a real terminal of 80 by 24 and keeps the screens.
The commands are those of the [README](../README.md), which says more about each.
`;

/** Which keys were typed, as a reader would name them. */
function keyText(keys: readonly string[]): string {
  const names = keys.map(key => (key === '\r' ? '`Enter`' : `\`${key}\``));
  return names.join(' ');
}

/** How many lines the shell has asked for beyond the first, when it waits for one. */
function continued(text: string): number {
  return text.endsWith('\n>') ? text.split('\n').filter(line => line.startsWith('>')).length : 0;
}

async function take(step: Command | Keys, screen: Screen): Promise<string> {
  if ('keys' in step) {
    for (const key of step.keys) screen.type(key);
    return screen.until(step.until);
  }
  screen.type("printf '\\033c'\r");
  await screen.until(text => text === PROMPT, 'an empty screen');
  const lines = step.command.split('\n');
  for (const [number, line] of lines.entries()) {
    screen.type(`${line}\r`);
    const more = number + 1;
    if (more < lines.length) await screen.until(text => continued(text) === more, 'a prompt for the next line');
  }
  return screen.until(
    step.opens ?? (text => text !== PROMPT && text.endsWith(`\n${PROMPT}`)),
    step.opens ?? 'a prompt',
  );
}

function section(step: Command | Keys, number: number, shows: string): string {
  const typed = 'keys' in step ? `Keys: ${keyText(step.keys)}\n\n` : '';
  return `## ${number}. ${step.title}\n\n${step.about}\n\n${typed}\`\`\`text\n${shows.replace(/ +$/gm, '')}\n\`\`\`\n`;
}

async function walk(folder: string): Promise<string> {
  writeFileSync(join(folder, 'apflab'), `#!/bin/sh\nexec "${process.execPath}" "${PROGRAM}" "$@"\n`);
  chmodSync(join(folder, 'apflab'), 0o755);
  const PATH = [folder, process.env.PATH].join(delimiter);
  const env = { PATH, PS1: `${PROMPT} `, PS2: '> ', ENV: undefined, LC_ALL: 'C.UTF-8', NO_COLOR: undefined };
  const screen = terminal('sh', ['-i'], { cwd: folder, env });
  const sections: string[] = [];
  for (const [index, step] of WALK.entries()) sections.push(section(step, index + 1, await take(step, screen)));
  screen.type('exit\r');
  await screen.ended();
  return [INTRODUCTION, ...sections].join('\n');
}

test('the walk follows the README', () => {
  const readme = read('README.md');
  const commands = blocks(readme).flatMap(block =>
    block.language === 'console'
      ? shown(block).map(({ command }) => command)
      : block.language === 'sh'
        ? block.text.trim().split('\n')
        : [],
  );
  for (const step of WALK.slice(1)) {
    if (!('keys' in step)) ok(commands.includes(step.command), `the README lacks: ${step.command}`);
  }
  for (const key of ['n', 'w', 'j', 'e', '/', 'q'])
    ok(readme.includes(`\`${key}\``), `the README does not name the key ${key}`);
  ok(
    blocks(readme).some(({ language, text }) => language === 'apf' && text === STARTER),
    'the README shows what init writes',
  );
});

test(`${DOCUMENT} shows what a newcomer sees`, () =>
  inFolder(async folder => {
    const walked = await walk(folder);
    if (process.env.UPDATE) writeFileSync(join(ROOT, DOCUMENT), walked);
    is(walked, existsSync(join(ROOT, DOCUMENT)) ? read(DOCUMENT) : '', `${DOCUMENT}: UPDATE=1 npm test -- walk`);
  }));

test.run();
