/** The command line as a process: pipes, signals, colours. What it says is tested without one. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { apflab, inFolder, PROGRAM, run } from '../apflab.ts';
import { terminal } from '../terminal.ts';
import { FAILS, LONG, PASSES, WIDE } from './scenarios.ts';

/** A test in a folder with three scenarios. */
function scene(name: string, body: (cwd: string) => Promise<void>): void {
  test(name, () =>
    inFolder(async folder => {
      writeFileSync(join(folder, 'pass.apf'), PASSES);
      writeFileSync(join(folder, 'fail.apf'), FAILS);
      writeFileSync(join(folder, 'long.apf'), LONG);
      await body(folder);
    }),
  );
}

scene('exit codes reach the shell', async cwd => {
  const codes = [['run', 'pass.apf'], ['run', 'fail.apf'], ['run', 'none.apf'], ['frobnicate']];
  const ended = await Promise.all(codes.map(argv => apflab(argv, { cwd })));
  assert.equal(
    ended.map(({ code }) => code),
    [0, 1, 4, 4],
  );
});

scene('no colour in a pipe; FORCE_COLOR asks for it; NO_COLOR alone does not', async cwd => {
  const codes = async (env: Readonly<Record<string, string | undefined>>) => {
    const { stdout } = await apflab(['run', 'pass.apf'], {
      cwd,
      env: { FORCE_COLOR: undefined, NO_COLOR: undefined, ...env },
    });
    return stdout.includes('\x1b[');
  };
  assert.is(await codes({}), false);
  assert.is(await codes({ NO_COLOR: '1' }), false);
  assert.is(await codes({ FORCE_COLOR: '1' }), true);
  assert.is(await codes({ FORCE_COLOR: '0' }), false);
});

scene('in a terminal there is colour, unless NO_COLOR is set', async cwd => {
  const written = async (env: Readonly<Record<string, string | undefined>>) => {
    const screen = terminal(process.execPath, [PROGRAM, 'run', 'fail.apf'], {
      cwd,
      env: { FORCE_COLOR: undefined, NO_COLOR: undefined, ...env },
    });
    await screen.until('1 run: 1 fail');
    assert.is(await screen.ended(), 1);
    return screen.written();
  };
  assert.match(await written({}), '\x1b[31mfail\x1b[39m');
  assert.not.match(await written({ NO_COLOR: '1' }), '\x1b[31m');
});

scene('standard input is read from a pipe', async cwd => {
  const { code, stdout } = await apflab(['run', '-'], { cwd, stdin: PASSES });
  assert.is(code, 0);
  assert.match(stdout, /^-\n {2}pass/);
});

scene('a reader that goes away ends the output, not the verdict', async cwd => {
  // The shell keeps the code of the first program of the pipe.
  const command = `"${process.execPath}" "${PROGRAM}" run fail.apf --trace - 2>err.txt | head -n 1; exit "\${PIPESTATUS[0]}"`;
  const { code, stdout, stderr } = await run('bash', ['-c', command], { cwd });
  assert.is(stdout, '# tracer: nop\n');
  assert.is(stderr, '');
  assert.is(code, 1);
});

scene('Ctrl-C ends a long run with 130', async cwd => {
  const child = spawn(process.execPath, [PROGRAM, 'run', 'long.apf'], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // The heading is printed when the runs begin; signals are heard from then on.
  child.stdout.once('data', () => child.kill('SIGINT'));
  const code = await new Promise<number | null>(resolve => child.on('close', resolve));
  assert.is(code, 130);
  assert.is(stderr, 'interrupted: 0 of 1 runs are over\n');
});

scene('Ctrl-C ends an exploration with 130, and says what it covered', async cwd => {
  writeFileSync(join(cwd, 'wide.apf'), WIDE);
  for (const workers of ['1', '2']) {
    const argv = [PROGRAM, 'explore', 'wide.apf', '--no-reduce', '--workers', workers, '--report', 'json=out.json'];
    const child = spawn(process.execPath, argv, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (text: string) => {
        said[name] += text;
      });
    child.stdout.once('data', () => child.kill('SIGINT'));
    const code = await new Promise<number | null>(resolve => child.on('close', resolve));
    assert.is(code, 130, `${workers} workers: ${said.stderr}`);
    assert.match(said.stdout, /inconclusive .* \d+ states?, \d+ transitions?/);
    assert.match(said.stdout, 'undecided: not every order was tried, it was interrupted');
    assert.is(said.stderr, 'interrupted: 1 of 1 runs are over\n');
    const { results } = JSON.parse(readFileSync(join(cwd, 'out.json'), 'utf8'));
    assert.is(results[0].verdict, 'inconclusive');
  }
});

scene('output that cannot be written is refused before anything runs', async cwd => {
  const { code, stderr, stdout } = await apflab(['run', 'long.apf', '--trace', '/'], { cwd });
  assert.is(code, 4);
  assert.is(stdout, '');
  assert.match(stderr, 'apflab: cannot write /: ');
});

test.run();
