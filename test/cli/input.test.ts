/** Large files are read in pieces: whatever their size, and wherever a piece ends. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openInput, wholeOf } from '../../src/cli/input.ts';
import { packageFolder } from '../../src/cli/package.ts';
import { inWorld, type World } from './world.ts';

const ZIPPED = readFileSync(join(packageFolder(), 'test/data/recordings/mg-pv-1cpu/trace.txt.gz'));
const TEXT = gunzipSync(ZIPPED);

const shown = async ({ apflab }: World, name: string): Promise<unknown> => {
  const { code, out, err } = await apflab(['show', name, '--report', 'json']);
  assert.equal([code, err], [0, '']);
  return { ...JSON.parse(out), source: '' };
};

test('a recording of several pieces, plain and zipped, is what it is at once', () =>
  inWorld({ 'a.txt': TEXT, 'a.gz': ZIPPED, 'b.gz': gzipSync(TEXT) }, async world => {
    assert.ok(TEXT.length > 2 << 20);
    const plain = await shown(world, 'a.txt');
    assert.equal(await shown(world, 'a.gz'), plain);
    assert.equal(await shown(world, 'b.gz'), plain);
    const { out } = await world.apflab(['show', 'a.txt', '--as', 'ftrace']);
    assert.ok(out === TEXT.toString('latin1'), 'prints back byte for byte');
    assert.is((await world.apflab(['diff', 'a.txt', 'a.gz'])).code, 0);
  }));

test('pieces put together are the file', () =>
  inWorld({ a: TEXT, empty: '' }, async ({ folder }) => {
    const terminal = { cwd: folder, stdin: () => Buffer.from('piped') };
    const input = openInput('a', terminal);
    assert.ok(input.head.length < TEXT.length);
    assert.ok(Buffer.compare(wholeOf(input), TEXT) === 0);
    assert.is(wholeOf(openInput('empty', terminal)).length, 0);
    assert.is(String(wholeOf(openInput('-', terminal))), 'piped');
  }));

test('what cannot be read is refused: cut off, no such file, a folder', () =>
  inWorld(
    { 'cut.gz': ZIPPED.subarray(0, 5000), 'dat.gz': gzipSync(Buffer.from('\x17\x08\x44tracing')) },
    async world => {
      const refused = async (name: string) => {
        const { code, err } = await world.apflab(['show', name]);
        assert.is(code, 4);
        return err;
      };
      assert.match(await refused('cut.gz'), 'cut.gz is gzipped but damaged: unexpected end of file');
      assert.match(await refused('dat.gz'), 'dat.gz is a trace.dat');
      assert.match(await refused('nowhere'), 'cannot read nowhere: no such file');
      assert.match(await refused('.'), 'cannot read .: it is a folder');
    },
  ));

test.run();
