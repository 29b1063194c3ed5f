/** Distributions from a file of samples beside the scenario. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inWorld } from './world.ts';

const scenario = (read: string, more = ''): string => `language 1
${more}
host h0 { cpus 1; ram 512MiB; swap nvme { size 1GiB; read ${read} } }
vm web on h0 { ram 16MiB; guest { task db on vcpu[0] user { read page(17); done } } }
evict web.heap.page(17)
expect ready(web.heap.page(17)) and max(web.stall) > 3ms
`;

const samples = suite('samples from a file');

samples('are drawn from, through a let or an import, and travel in run files', async () => {
  const files = {
    'a.apf': scenario('empirical("disks/slow.txt")'),
    'b.apf': scenario('slow', 'let slow = empirical("disks/slow.txt")'),
    'c.apf': scenario('slow', 'import "disks/slow.apf"'),
    'disks/slow.apf': 'language 1\nlet slow = empirical("slow.txt")\n',
    'disks/slow.txt': '# measured on a bad day\n3.1ms\n\n  4_000 us # once\r\n5ms',
  };
  await inWorld(files, async ({ apflab, folder }) => {
    const run = await apflab(['run', 'a.apf', 'b.apf', 'c.apf', '--record', 'kept.run']);
    assert.is(run.code, 0, run.err + run.out);
    assert.match(run.out, '3 pass');
    await inWorld({}, async other => {
      const replay = await other.apflab(['replay', `${folder}/kept.run`]);
      assert.is(replay.code, 0, replay.err);
      assert.match(replay.out, '3 pass');
    });
  });
});

const reader = (script: string): string =>
  `language 1
host h0 { cpus 1; ram 512MiB; swap none }
vm web on h0 { ram 64KiB; guest { task db on vcpu[0] user { repeat 4 { ${script} }; done } } }
limit time 10ms
expect order accesses(db, page(5)) -> accesses(db, page(2)) -> accesses(db, page(3)) -> accesses(db, page(5))
expect done(db)
`.replaceAll(/, page/g, ', web.heap.page');

samples('may be pages, touched in the order of the file', async () => {
  const files = {
    'a.apf': reader('read heap from file "pages.txt"'),
    'b.apf': reader('write heap.pages(2..5) from file "near.txt"'),
    'pages.txt': '# a walk\n5\n2\n\n0x3 # and again\n',
    'near.txt': '3\n0\n1\n',
  };
  await inWorld(files, async ({ apflab }) => {
    const run = await apflab(['run', 'a.apf', 'b.apf', '--paranoid']);
    assert.is(run.code, 0, run.err + run.out);
    assert.match(run.out, '2 pass');
  });
});

samples('that are no pages of the heap are refused', async () => {
  const files = {
    'a.apf': reader('read heap from file "pages.txt"'),
    'b.apf': reader('read heap from file "words.txt"'),
    'c.apf': reader('read heap from file "none.txt"'),
    'pages.txt': '5\n16\n',
    'words.txt': 'one\n1.5\n3 4\n',
    'none.txt': '# nothing\n',
  };
  await inWorld(files, async ({ apflab }) => {
    const far = await apflab(['run', 'a.apf']);
    assert.is(far.code, 2);
    assert.match(far.err, 'page 16 of pages.txt: there are 16, numbered from 0');
    const words = await apflab(['run', 'b.apf']);
    assert.is(words.code, 2);
    assert.match(words.err, "expected the number of a page, found 'one'");
    assert.match(words.err, "expected the number of a page, found '1.5'");
    assert.match(words.err, "expected the end of the line, found '4'");
    assert.match((await apflab(['run', 'c.apf'])).err, 'there is no page in this file');
  });
});

samples('that are wrong are pointed at in their file', async () => {
  const files = {
    'a.apf': scenario('empirical("d.txt")'),
    'd.txt': '80us\n\t90\n5 pages\n-3us\n80us 90us\n7 uss\n\u001b[2J\n',
  };
  await inWorld(files, async ({ apflab }) => {
    const { code, err } = await apflab(['run', 'a.apf']);
    assert.is(code, 2);
    assert.match(
      err,
      `error[dimension]: expected a time, found a plain number
 --> d.txt:2:2
  |
2 |     90
  |     ^^
help: say its unit: 90us
`.replace('  |\n2', '2'),
    );
    assert.match(err, "error[unknown-unit]: no unit of time is called 'pages'\n --> d.txt:3:3");
    assert.match(err, "error[syntax]: expected a time, found '-'\n --> d.txt:4:1");
    assert.match(err, "error[syntax]: expected the end of the line, found '90'\n --> d.txt:5:6");
    assert.match(err, ' --> d.txt:6:3');
    assert.match(err, 'error[unexpected-character]');
    assert.match(err, "error[import]: 'd.txt' has errors of its own\n --> a.apf:3:");
    assert.not.match(err, '\u001b');
  });
});

samples('are at least one and at most 100,000', async () => {
  const files = {
    'none.apf': scenario('empirical("none.txt")'),
    'none.txt': '# nothing yet\n',
    'many.apf': scenario('empirical("many.txt")'),
    'many.txt': '4ms\n'.repeat(100_000),
    'more.apf': scenario('empirical("more.txt")'),
    'more.txt': '4ms\n'.repeat(100_001),
  };
  await inWorld(files, async ({ apflab }) => {
    assert.match((await apflab(['run', 'none.apf'])).err, 'error[missing]: there is no sample in this file');
    assert.is((await apflab(['run', 'many.apf'])).code, 0);
    const { code, err } = await apflab(['run', 'more.apf']);
    assert.is(code, 2);
    assert.match(err, 'error[range]: a distribution has at most 100000 samples\n      --> more.txt:100001:1');
  });
});

samples('stay inside the folder of the scenario', async () => {
  const files = {
    'sub/up.apf': scenario('empirical("../d.txt")'),
    'sub/root.apf': scenario('empirical("/etc/hostname")'),
    'sub/none.apf': scenario('empirical("d.txt")'),
    'd.txt': '4ms\n',
  };
  await inWorld(files, async ({ apflab }) => {
    assert.match((await apflab(['run', 'sub/up.apf'])).err, "'../d.txt' does not stay inside the folder of this file");
    assert.match((await apflab(['run', 'sub/root.apf'])).err, 'does not stay inside the folder of this file');
    assert.match((await apflab(['run', 'sub/none.apf'])).err, "error[import]: cannot read 'd.txt'");
  });
});

samples.run();
