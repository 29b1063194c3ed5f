import { test } from 'uvu';

test('is quick', () => {});
test('waits for ever', () => new Promise(() => setInterval(() => {}, 1000)));
test.run();
