import { test } from 'uvu';
import { equal } from 'uvu/assert';

const Word = ({ text }: { readonly text: string }) => <b>{text}</b>;

test('JSX is understood', () => equal((<Word text="x" />).props, { text: 'x' }));
test('and a second one', () => {});
test.run();
