import { suite } from 'uvu';
import { is } from 'uvu/assert';

const sums = suite('sums');
sums('right', () => is(1 + 1, 2));
sums('wrong <&>', () => is(1 + 1, 3));
sums.run();
