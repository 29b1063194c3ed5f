import { test } from 'uvu';
import { equal } from 'uvu/assert';
import { staleDocuments } from '../scripts/gen_docs.ts';

test('generated documents say what the declarations say (else: npm run docs)', async () => {
  const stale = await staleDocuments();
  equal(
    stale.map(({ file }) => file),
    [],
  );
});

test.run();
