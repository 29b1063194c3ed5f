import { test } from 'uvu';

test('ends the process', () => process.exit(7));
test.run();
