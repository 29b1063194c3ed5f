/** Run by test/tui/watch.test.ts in a terminal of its own: a monitor with a bug, met when its file is loaded again. */
import { Bug } from '../../../src/base/assert.ts';

const { watch } = await import('../../../src/tui/main.tsx');
let loads = 0;
try {
  await watch({
    file: 'none.apf',
    load() {
      loads += 1;
      if (loads > 1) throw new Bug('the moon is full');
      return { kind: 'errors', lines: ['error: not good yet'] };
    },
    onSave: null,
    env: process.env,
  });
} catch (error) {
  console.log(`caught ${error instanceof Error ? error.message : 'nothing'}`);
  process.exitCode = 5;
}
