/**
 * `npm start`: the demonstration, straight from a fresh clone.
 *
 * In a terminal it opens the monitor; piped, it runs the same file and prints trace and verdict.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { scriptArgs } from './args.ts';
import { build, isStale } from './build.ts';
import { ROOT } from './imports.ts';

const USAGE = `npm start [-- FILE]

Builds what changed, then opens FILE in the monitor; without a terminal, runs it and prints trace and verdict.
  FILE            a scenario, a run file or a recording (default: scenarios/demo.apf)`;

const { positionals } = scriptArgs(USAGE, {});
const file = positionals[0] ?? 'scenarios/demo.apf';

if (isStale()) await build();

const bin = join(ROOT, 'bin/apflab.js');
const interactive = process.stdin.isTTY && process.stdout.isTTY;
const verb = interactive ? ['watch', file] : ['run', '--trace', '-', file];
process.argv = [process.execPath, bin, ...verb];
await import(pathToFileURL(bin).href);
