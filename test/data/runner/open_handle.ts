import { test } from 'uvu';

test('leaves a timer behind', () => {
  setInterval(() => {}, 1000);
});
test.run();
